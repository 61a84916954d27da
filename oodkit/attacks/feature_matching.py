"""Matching the features of an in-distribution image (Adaloglou et al., 2023)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from oodkit.attacks.ball import Ball, LInf
from oodkit.attacks.base import Attack, check_number, check_steps
from oodkit.attacks.draws import Draws
from oodkit.attacks.goal import Goal
from oodkit.attacks.watched import Watched


def matching(embed: Callable[[Tensor], Tensor], targets: Tensor) -> Goal:
    """The cosine between an image's features and those of a target, one target per image.

    Args:
        embed: pixels (B, 3, H, W) in [0, 1] -> features (B, D).
        targets: (B, D) features, in the order of the images.
    """
    return Goal(lambda pixels: cosine_similarity(embed(pixels), targets.to(pixels.device), dim=1))


class FeatureMatching(Attack):
    """Adam on the change of an image, whose last point counts; made for the goal of `matching`.

    With a change d of a goal J it descends

        -J(x + d) + smoothness (mean of squared vertical differences of d + the same horizontally)

    and cuts x + d to [0, 1] after each step. Nothing else bounds the change, but Adam moves a pixel by about the
    learning rate in a step.

    Args:
        ball: how far images may be moved; default as far as pixels go.
        steps: of Adam.
        learning_rate: of Adam, in pixels of [0, 1].
        smoothness: weight of the change's differences: 0 for the paper's patchy attack, 5000 for its smooth one.

    Notes:
        The published code keeps the change in floating point and averages the goal over a batch; here each image stands
        for itself and the result is rounded to 8 bits.

    References:
        N. Adaloglou, F. Michels, T. Kaiser, M. Kollmann: Adapting Contrastive Language-Image Pretrained (CLIP) Models
        for Out-of-Distribution Detection. arXiv:2303.05828.
    """

    keeps_best = False

    def __init__(
        self, ball: Ball | None = None, steps: int = 250, learning_rate: float = 1e-3, smoothness: float = 0.0
    ) -> None:
        super().__init__(ball or LInf(1.0))
        check_steps("steps", steps)
        check_number("learning_rate", learning_rate)
        check_number("smoothness", smoothness)
        self.steps, self.learning_rate, self.smoothness = steps, learning_rate, smoothness

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        moved = self.ball.project(images + 1e-3 * draws.normal(images), around=images)
        change = (moved - images).requires_grad_(True)
        adam = torch.optim.Adam([change], lr=self.learning_rate)
        for _ in range(self.steps):
            _, slope = goal.slope((images + change).detach())
            change.grad = -slope + self._roughness_slope(change.detach())
            adam.step()
            with torch.no_grad():
                change.copy_(self.ball.project(images + change, around=images) - images)
        return (images + change).detach().clamp(0, 1)

    def _roughness_slope(self, change: Tensor) -> Tensor:
        """Gradient of the weighted mean squares of forward differences, whose last row and column count as 0."""
        slope = torch.zeros_like(change)
        for dim in (-2, -1):
            step = change.diff(dim=dim)
            zero = torch.zeros_like(change.narrow(dim, 0, 1))
            slope += torch.cat([zero, step], dim) - torch.cat([step, zero], dim)
        return slope * (2 * self.smoothness / change[0].numel())
