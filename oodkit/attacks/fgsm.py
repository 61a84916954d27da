"""Fast gradient sign method (Goodfellow, Shlens, Szegedy, ICLR 2015)."""

from torch import Tensor

from oodkit.attacks.ball import Ball
from oodkit.attacks.base import Attack, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched


class FGSM(Attack):
    """One step of length eps along the gradient, from the image itself.

    Args:
        ball: how far images may be moved; default eight grey levels in every pixel.

    References:
        I. Goodfellow, J. Shlens, C. Szegedy: Explaining and Harnessing Adversarial Examples. ICLR 2015,
        arXiv:1412.6572.
    """

    def __init__(self, ball: Ball | None = None) -> None:
        super().__init__(ball or default_ball())

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        _, slope = goal.slope(images)
        return self.ball.project(images + self.ball.eps * self.ball.steepest(slope), around=images)
