"""Ending a stage where images that it does not learn from say so."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from oodkit.scorers.schedule import waited
from oodkit.training.draws import drawing
from oodkit.training.mixed_precision import Precision, mixed
from oodkit.training.stage import Stage
from oodkit.training.world import World


@dataclass(frozen=True)
class EarlyStop:
    """Watches the loss of in-images that are held out.

    Attributes:
        stage: the networks that are trained, over these images.
        patience: epochs to wait for a lower loss.
        keep: remembers the weights of a stage, which are the best so far.
        recall: brings a stage to the weights that were kept last.
    """

    stage: Stage
    patience: int
    keep: Callable[[nn.Module], None]
    recall: Callable[[nn.Module], None]

    def loss(self, world: World, seed: int, precision: Precision) -> float:
        """Mean loss of the held-out images, with the same views each time, over all processes."""
        stage = self.stage.eval()
        total = torch.zeros((), device=world.device)
        batches = stage.items(0)
        for items in batches:
            samples = []
            for item in items[world.share(len(items))]:
                with drawing(seed, stage.name, "held out", *item):
                    samples.append(stage.sample(item))
            batch = [torch.stack(part).to(world.device) for part in zip(*samples, strict=True)]
            with torch.no_grad(), drawing(seed, "held out", device=world.device), mixed(world.device, precision):
                total += stage(batch, stage.steps - 1)
        return float(world.mean(total / len(batches)))

    def waited(self, losses: list[float]) -> bool:
        """Whether the lowest of the losses, one for each epoch, is too long ago."""
        return waited(losses, self.patience)
