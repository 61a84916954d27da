"""The first stage of SemSAD: an encoder by contrastive learning (Rafiee et al., arXiv 2012.00461)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.training.contrastive_loss import contrastive_loss
from oodkit.training.crops import contrastive_view
from oodkit.training.draws import generator_of
from oodkit.training.images import TrainingImages
from oodkit.training.settings import SemSADSettings
from oodkit.training.stage import Stage
from oodkit.training.world import World


class Contrast(Stage):
    """An encoder that brings two views of an image together.

    Args:
        settings: how.
        encoder: in training mode.
        images: the in-distribution.
        preprocessing: standardises pixels.
        seed: of order and draws.
        world: whose images are negatives of each other.
    """

    name = "encoder"

    def __init__(
        self,
        settings: SemSADSettings,
        encoder: nn.Module,
        images: TrainingImages,
        preprocessing: Preprocessing,
        seed: int,
        world: World,
    ) -> None:
        super().__init__()
        self.values, self.images, self.preprocessing = settings, images, preprocessing
        self.seed, self.world = seed, world
        self.encoder = encoder
        self.view = contrastive_view(settings.source_size)
        self.epochs, self.steps_per_epoch = settings.epochs, len(images) // settings.batch
        self.settings = (
            f"learning_rate={settings.learning_rate:g}, batch={settings.batch}, temperature={settings.temperature:g}"
        )

    def items(self, epoch: int) -> Sequence[Sequence[Any]]:
        """Batches of images."""
        order = torch.randperm(len(self.images), generator=generator_of(self.seed, "order", epoch)).tolist()
        size = self.values.batch
        return [[(index,) for index in order[i : i + size]] for i in range(0, self.steps_per_epoch * size, size)]

    def sample(self, item: tuple[int]) -> tuple[Tensor, ...]:
        """Two views of an image."""
        pixels = self.images[item[0]]
        return self.view(pixels), self.view(pixels)

    def forward(self, batch: list[Tensor], step: int) -> Tensor:
        """The contrastive loss among the images of all processes."""
        pixels = self.preprocessing.normalise(torch.cat(batch).float() / 255)
        first, second = self.encoder(pixels).float().chunk(2)
        everyone = self.world.gathered(second)
        return contrastive_loss(first, everyone, self.values.temperature, self.world.rank * len(first))

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam, with weight decay added to the gradient."""
        return torch.optim.Adam(self.parameters(), lr=self.values.learning_rate, weight_decay=self.values.weight_decay)

    def set_rates(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """One rate throughout."""
        return
