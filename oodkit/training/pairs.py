"""The second stage of SemSAD: a discriminator of pairs of images (Rafiee et al., arXiv 2012.00461)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from oodkit.clustering.own_neighbours import nearest_others
from oodkit.scorers.pair_loss import draw_weight, pair_loss
from oodkit.training.crops import mild_view, shifted, strong_view
from oodkit.training.draws import generator_of
from oodkit.training.images import TrainingImages
from oodkit.training.schedules import stepped
from oodkit.training.settings import SemSADSettings
from oodkit.training.stage import Stage

SHIFTED_SELF = 0.5  # of the shifted negative pairs, those of an image with itself


class Pairs(Stage):
    """A discriminator between two views of an image, or two similar images, and an image with a view of another.

    Args:
        settings: how.
        discriminator: (B, 6, H, W) in [0, 1] -> (B, outputs) log-odds, all of the same question.
        images: the in-distribution.
        features: (N, d) of the images by the encoder, of length 1.
        seed: of order and draws.
    """

    name = "discriminator"

    def __init__(
        self,
        settings: SemSADSettings,
        discriminator: nn.Module,
        images: TrainingImages,
        features: Tensor,
        seed: int,
    ) -> None:
        super().__init__()
        self.values, self.images, self.seed = settings, images, seed
        self.discriminator, self.features = discriminator, features
        self.mild, self.strong = mild_view(settings.source_size), strong_view(settings.source_size)
        self.epochs = settings.discriminator_epochs
        self.steps_per_epoch = len(images) // (settings.pool or settings.discriminator_batch)
        self.settings = (
            f"discriminator_rate={settings.discriminator_rate:g}, discriminator_batch={settings.discriminator_batch}"
        )
        self._near = None if settings.pool else nearest_others(features, settings.neighbours)

    def items(self, epoch: int) -> Sequence[Sequence[Any]]:
        """Batches of (step, place, anchor, near image or -1, other image)."""
        order = self._order(epoch)
        size = self.values.discriminator_batch
        pool = self.values.pool or size
        draw = generator_of(self.seed, "pairs", epoch)
        before = self._order(epoch - 1)[-pool:] if self.values.pool else order
        batches = []
        for step in range(self.steps_per_epoch):
            members = order[step * pool : (step + 1) * pool]
            anchors = members[torch.randperm(len(members), generator=draw)[:size]]
            near = self._neighbours(anchors, before)
            chosen = near[torch.arange(len(anchors)), torch.randint(near.shape[1], (len(anchors),), generator=draw)]
            semantic = torch.rand(len(anchors), generator=draw) < self.values.semantic_share
            gap = torch.randint(1, len(self.images), (len(anchors),), generator=draw)
            other = (anchors + gap) % len(self.images)  # never the anchor itself
            rows = torch.stack([anchors, torch.where(semantic, chosen, -1), other], dim=1).tolist()
            batches.append([(step, place, *row) for place, row in enumerate(rows)])
            before = members if self.values.pool else order
        return batches

    def sample(self, item: tuple[int, int, int, int, int]) -> tuple[Tensor, ...]:
        """The first image of both pairs, the second of the positive one, the second of the negative one."""
        _, _, anchor, near, other = item
        pixels = self.images[anchor]
        pair = (self.mild(pixels), self.mild(pixels)) if near < 0 else (pixels, self.images[near])
        if self.values.shift == "none" or float(torch.rand(())) >= self.values.shifted_share:
            return (*pair, self.strong(self.images[other]))
        one = pixels if float(torch.rand(())) < SHIFTED_SELF else self.images[other]
        return (*pair, shifted(self.mild(one), self.values.shift))

    def forward(self, batch: list[Tensor], step: int) -> Tensor:
        """The loss of the log-odds of positive and of negative pairs, which go through the network apart."""
        first, second, negative = (part.float() / 255 for part in batch)
        positive_odds = self.discriminator(torch.cat([first, second], dim=1)).float()
        negative_odds = self.discriminator(torch.cat([first, negative], dim=1)).float()
        return pair_loss(positive_odds, negative_odds, draw_weight(generator_of(self.seed, "weight", step)))

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam in its AMSGrad form, with weight decay added to the gradient."""
        return torch.optim.Adam(
            self.parameters(),
            lr=self.values.discriminator_rate,
            weight_decay=self.values.weight_decay,
            amsgrad=True,
        )

    def set_rates(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """In steps of epochs."""
        epoch = step // self.steps_per_epoch
        for group in optimiser.param_groups:
            group["lr"] = stepped(epoch, self.values.discriminator_rate, self.values.rate_steps)

    def _order(self, epoch: int) -> Tensor:
        return torch.randperm(len(self.images), generator=generator_of(self.seed, "anchors", epoch))

    def _neighbours(self, anchors: Tensor, before: Tensor) -> Tensor:
        """(B, n) places of the nearest other images, among all or in the pool before."""
        if self._near is not None:
            return self._near[anchors]
        cosines = self.features[anchors] @ self.features[before].T
        cosines[anchors[:, None] == before] = -torch.inf
        return before[cosines.topk(min(self.values.neighbours, len(before) - 1), dim=1).indices]
