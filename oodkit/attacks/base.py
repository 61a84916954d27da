"""What every attack is: a search for images of a higher goal inside a ball."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, ClassVar

import torch
from torch import Tensor

from oodkit.attacks.ball import Ball, LInf
from oodkit.attacks.draws import Draws
from oodkit.attacks.goal import Goal
from oodkit.attacks.watched import Watched
from oodkit.errors import InvalidInput

TOLERANCE = 1e-5  # of float32 sums of squares over an image


@dataclass(frozen=True)
class Attacked:
    """What an attack made of a batch.

    Attributes:
        images: (B, 3, H, W) in [0, 1], in the ball, whole grey levels k/255 unless that was not asked for.
        unrounded: (B, 3, H, W) the best images found, before rounding.
        before: (B,) scores of the clean images.
        found: (B,) scores of the best images found, before rounding.
        after: (B,) scores of `images`.
        distance: (B,) of `images` to the clean ones in the ball's norm.
        zero_slopes: (B,) whether the gradient at the start was exactly zero; all false where none was taken.
        calls: how often the score of the batch was evaluated.
    """

    images: Tensor
    unrounded: Tensor
    before: Tensor
    found: Tensor
    after: Tensor
    distance: Tensor
    zero_slopes: Tensor
    calls: int


class Attack(ABC):
    """A search; `run` is written once and a method fills `_search`.

    Args:
        ball: how far images may be moved.

    Attributes:
        white_box: whether the search takes gradients of the score (class attribute).
        keeps_best: whether the best point of the search counts, rather than its last (class attribute).
    """

    white_box: ClassVar[bool] = True
    keeps_best: ClassVar[bool] = True

    def __init__(self, ball: Ball) -> None:
        self.ball = ball

    def run(self, goal: Goal, images: Tensor, seeds: Sequence[int] | int = 0, *, whole_levels: bool = True) -> Attacked:
        """Move images to where the goal is large.

        No image ends with a lower goal than it began with: where nothing better was found, also after rounding, it
        stays as it is.

        Args:
            goal: what to raise.
            images: (B, 3, H, W) in [0, 1]; whole grey levels k/255 where `whole_levels`.
            seeds: one per image, or one from which they follow.
            whole_levels: whether the result is rounded to 8 bits, so that a PNG holds it.

        Raises:
            InvalidInput: images of another shape or range, a score without gradients under an attack that takes them,
                or scores or gradients that are not finite.
        """
        _check_images(images, whole_levels)
        if self.white_box and not goal.differentiable:
            name = type(self).__name__
            raise InvalidInput(
                f"{name} takes gradients, and this score has none; use the attack square, which needs none"
            )
        draws = Draws([seeds + i for i in range(len(images))] if isinstance(seeds, int) else seeds)
        watched = Watched(goal, images)
        last = self._search(watched, images, draws)
        last_values, start = watched(last), watched.start
        best, values = (watched.best, watched.value) if self.keeps_best else (last, last_values)
        found, unrounded = values, best
        if whole_levels:
            best = self.ball.rounded(best, images)
            values = watched(best)
        worse = values < start
        best = torch.where(worse[:, None, None, None], images, best)
        values = torch.where(worse, start, values)
        distance = self.ball.distance(best, images)
        assert bool((distance <= self.ball.eps * (1 + TOLERANCE) + TOLERANCE).all()), "an image left the ball"
        nothing = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        return Attacked(
            images=best,
            unrounded=unrounded,
            before=goal.scores(start),
            found=goal.scores(found),
            after=goal.scores(values),
            distance=distance,
            zero_slopes=nothing if watched.zero_slopes is None else watched.zero_slopes,
            calls=watched.calls,
        )

    @abstractmethod
    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        """The last point of the search, (B, 3, H, W) in the ball; the best is remembered by `goal`."""

    def __repr__(self) -> str:
        """Name and parameters."""
        own = (f"{key}={value!r}" for key, value in vars(self).items() if not key.startswith("_"))
        return f"{type(self).__name__}({', '.join(own)})"


def check_steps(name: str, value: Any, least: int = 1) -> None:
    """Refuse a count below `least`; raises InvalidInput."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidInput(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_number(name: str, value: Any, least: float = 0.0, most: float = inf) -> None:
    """Refuse what is no finite number from `least` to `most`; raises InvalidInput."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and isfinite(value) and least <= value <= most):
        span = f"at least {least:g}" if most == inf else f"in [{least:g}, {most:g}]"
        raise InvalidInput(f"{name} must be a number {span}, got {value!r}")


def default_ball() -> Ball:
    """Eight grey levels in every pixel."""
    return LInf(8 / 255)


def _check_images(images: Tensor, whole_levels: bool) -> None:
    if images.ndim != 4 or not images.is_floating_point():
        raise InvalidInput(
            f"images to attack have shape (B, 3, H, W) and are floats, got {tuple(images.shape)} {images.dtype}"
        )
    if len(images) and not (bool(images.isfinite().all()) and images.min() >= 0 and images.max() <= 1):
        raise InvalidInput("images to attack have pixels in [0, 1]; divide 8-bit ones by 255")
    levels = 255 * images
    if whole_levels and bool(((levels - levels.round()).abs() > 1e-2).any()):
        raise InvalidInput("images to attack are not of 8 bits; round them, or ask for no rounding of the result")
