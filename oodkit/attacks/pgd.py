"""Projected gradient ascent (Madry et al., ICLR 2018)."""

from torch import Tensor

from oodkit.attacks.ball import Ball
from oodkit.attacks.base import Attack, check_number, check_steps, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched


class PGD(Attack):
    """Steps along the gradient, each brought back into the ball; the best point of all restarts.

    Args:
        ball: how far images may be moved; default eight grey levels in every pixel.
        steps: of each restart.
        step_size: length of a step in the ball's norm; default 2.5 eps / steps.
        restarts: how often to begin anew from a random point. The first begins at the image itself.

    References:
        A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu: Towards Deep Learning Models Resistant to Adversarial
        Attacks. ICLR 2018, arXiv:1706.06083.
    """

    def __init__(
        self, ball: Ball | None = None, steps: int = 50, step_size: float | None = None, restarts: int = 1
    ) -> None:
        super().__init__(ball or default_ball())
        check_steps("steps", steps)
        check_steps("restarts", restarts)
        if step_size is not None:
            check_number("step_size", step_size)
        self.steps, self.restarts = steps, restarts
        self.step_size = 2.5 * self.ball.eps / steps if step_size is None else step_size

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        moved = images
        for restart in range(self.restarts):
            if restart:
                goal(moved)
                moved = self.ball.random(images, draws)
            for _ in range(self.steps):
                _, slope = goal.slope(moved)
                moved = self.ball.project(moved + self.step_size * self.ball.steepest(slope), around=images)
        return moved
