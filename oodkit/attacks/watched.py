"""A goal that counts what it is asked and remembers the best it was shown."""

from math import inf

import torch
from torch import Tensor

from oodkit.attacks.ball import Ball
from oodkit.attacks.goal import Goal
from oodkit.errors import InvalidInput


class Watched:
    """A goal as a search sees it: its values, its gradients, and for each image the best point so far.

    Args:
        goal: what is raised.
        images: (B, 3, H, W) where the search starts; every later batch is of these images, in this order.

    Attributes:
        best: (B, 3, H, W) where the goal was largest.
        value: (B,) the goal there.
        calls: how often the goal was evaluated.
        zero_slopes: (B,) whether the first gradient of an image was exactly zero.
    """

    def __init__(self, goal: Goal, images: Tensor) -> None:
        self._goal, self._images = goal, images
        self.best, self.calls = images.clone(), 0
        self.value = images.new_full((len(images),), -inf)
        self._start: Tensor | None = None
        self.zero_slopes: Tensor | None = None

    @property
    def start(self) -> Tensor:
        """(B,) the goal at the images where the search starts."""
        if self._start is None:
            self(self._images)
        assert self._start is not None
        return self._start

    def __call__(self, pixels: Tensor) -> Tensor:
        """(B,) the goal of moved images, without gradients."""
        self._begin(pixels)
        with torch.no_grad():
            values = self._checked(self._goal(pixels))
        self._keep(pixels, values)
        return values

    def differentiable(self, pixels: Tensor, ball: Ball) -> Tensor:
        """(B,) the goal with its graph, for searches that take gradients themselves.

        Such a search may look outside the ball, ahead or at other sizes; only points inside count as found.
        """
        self._begin(pixels)
        values = self._checked(self._goal(pixels))
        moved = pixels.detach()
        inside = ball.distance(moved, self._images) <= ball.eps + 1e-6
        inside &= ((moved >= 0) & (moved <= 1)).flatten(1).all(dim=1)
        self._keep(moved, torch.where(inside, values.detach(), -inf))
        return values

    def slope(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The goal (B,) and its gradient (B, 3, H, W) at moved images.

        Raises:
            InvalidInput: a gradient that is not finite.
        """
        self._begin(pixels)
        with torch.enable_grad():
            moved = pixels.detach().requires_grad_(True)
            values = self._checked(self._goal(moved))
            (slope,) = torch.autograd.grad(values.sum(), moved)
        if not bool(slope.isfinite().all()):
            raise InvalidInput(
                "the gradient of the score is not finite for an image; use the attack square, which needs none"
            )
        if self.zero_slopes is None:
            self.zero_slopes = (slope == 0).flatten(1).all(dim=1)
        values = values.detach()
        self._keep(pixels, values)
        return values, slope

    def _keep(self, pixels: Tensor, values: Tensor) -> None:
        self.calls += 1
        if pixels is self._images:
            self._start = values.clone()
        better = values > self.value
        self.value = torch.where(better, values, self.value)
        self.best = torch.where(better[:, None, None, None], pixels.detach(), self.best)

    def _begin(self, pixels: Tensor) -> None:
        """Ask for the goal of the first images before that of any others, so that they win where nothing is better."""
        if self._start is None and pixels is not self._images:
            self(self._images)

    def _checked(self, values: Tensor) -> Tensor:
        if values.shape != (len(self.best),):
            raise InvalidInput(f"a score gives one number per image, ({len(self.best)},), got {tuple(values.shape)}")
        if not bool(values.isfinite().all()):
            raise InvalidInput("the score of an image is not finite, so it cannot be attacked")
        return values
