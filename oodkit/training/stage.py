"""What the training loop is given: a network with its loss, its samples and its rates."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from oodkit.training.world import World


class Stage(nn.Module):
    """A part of a training that has an optimiser of its own. The module's state is all that it learns.

    Attributes:
        name: what it trains, in a word.
        epochs: passes.
        steps_per_epoch: updates in each.
        settings: what led here, for messages.
    """

    name: str
    epochs: int
    steps_per_epoch: int
    settings: str

    @property
    def steps(self) -> int:
        """Updates in all."""
        return self.epochs * self.steps_per_epoch

    @abstractmethod
    def items(self, epoch: int) -> Sequence[Sequence[Any]]:
        """For each step of an epoch, what its samples are made of: one thing per sample, of all processes."""

    @abstractmethod
    def sample(self, item: Any) -> tuple[Tensor, ...]:
        """The tensors of one sample; torch's global generator is seeded for it. May run in another process."""

    @abstractmethod
    def forward(self, batch: list[Tensor], step: int) -> Tensor:
        """The loss of a batch, on its device."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """A new optimiser of what is learnt."""

    @abstractmethod
    def set_rates(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """Learning rate and weight decay of a step."""

    def before_update(self, step: int) -> None:
        """Change gradients before they are used."""
        return

    def after_update(self, step: int, world: World) -> None:
        """Change what is not learnt by gradients."""
        return
