"""Momentum iterative method (Dong et al., CVPR 2018)."""

import torch
from torch import Tensor

from oodkit.attacks.ball import Ball
from oodkit.attacks.base import Attack, check_number, check_steps, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched


class MomentumPGD(Attack):
    """Steps along a decaying sum of gradients, each at mean absolute value 1, from the image itself.

    Args:
        ball: how far images may be moved; default eight grey levels in every pixel.
        steps: how many.
        step_size: length of a step in the ball's norm; default 2.5 eps / steps.
        decay: what is kept of the sum at each step, the paper's mu.

    References:
        Y. Dong et al.: Boosting Adversarial Attacks with Momentum. CVPR 2018, arXiv:1710.06081.
    """

    def __init__(
        self, ball: Ball | None = None, steps: int = 50, step_size: float | None = None, decay: float = 1.0
    ) -> None:
        super().__init__(ball or default_ball())
        check_steps("steps", steps)
        if step_size is not None:
            check_number("step_size", step_size)
        check_number("decay", decay)
        self.steps, self.decay = steps, decay
        self.step_size = 2.5 * self.ball.eps / steps if step_size is None else step_size

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        moved, total = images, torch.zeros_like(images)
        for _ in range(self.steps):
            _, slope = goal.slope(moved)
            size = slope.abs().mean(dim=(1, 2, 3), keepdim=True)
            total = self.decay * total + slope / torch.where(size > 0, size, 1)
            moved = self.ball.project(moved + self.step_size * self.ball.steepest(total), around=images)
        return moved
