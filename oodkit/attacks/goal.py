"""What an attack raises: the score of each image, or minus it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from oodkit.errors import InvalidInput

Direction = Literal["out2in", "in2out"]


@dataclass(frozen=True)
class Goal:
    """Pixels to what an attack makes as large as it can.

    Attributes:
        score: pixels (B, 3, H, W) in [0, 1] -> scores (B,), higher = more in-distribution; each image's depends on
            that image alone.
        direction: "out2in" raises the score, to hide OOD images among in-distribution ones; "in2out" lowers it, to
            raise false alarms.
        differentiable: whether gradients flow through the score.
        draws: how many scores are averaged in each evaluation, for a score that draws at random (expectation over
            transformation, Athalye et al., ICML 2018).

    Raises:
        InvalidInput: an unknown direction, or fewer than one draw.
    """

    score: Callable[[Tensor], Tensor]
    direction: Direction = "out2in"
    differentiable: bool = True
    draws: int = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        check_direction(self.direction)
        if self.draws < 1:
            raise InvalidInput(f"an attack averages at least 1 draw of a score, got {self.draws}")

    def __call__(self, pixels: Tensor) -> Tensor:
        """(B,) what is to be raised."""
        scores = self.score(pixels)
        if self.draws > 1:
            scores = torch.stack([scores, *(self.score(pixels) for _ in range(self.draws - 1))]).mean(dim=0)
        return scores if self.direction == "out2in" else -scores

    def scores(self, values: Tensor) -> Tensor:
        """Scores of what was raised, (B,): the sign taken back."""
        return values if self.direction == "out2in" else -values


def check_direction(direction: str) -> None:
    """Refuse anything but out2in and in2out; raises InvalidInput."""
    if direction not in get_args(Direction):
        raise InvalidInput(f"the direction of an attack is out2in or in2out, got {direction!r}")
