"""Auto-PGD (Croce and Hein, ICML 2020)."""

import torch
from torch import Tensor

from oodkit.attacks.ball import Ball, LInf
from oodkit.attacks.base import Attack, check_number, check_steps, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched


class APGD(Attack):
    """Gradient ascent with momentum whose step size is halved where an image makes no progress.

    A step goes three quarters of the way to the projected gradient step and adds a quarter of the step before. At
    checkpoints an image whose goal rose in too few steps, or not beyond its best, halves its step size, which begins at
    2 eps, and goes on from its best point.

    Args:
        ball: how far images may be moved; default eight grey levels in every pixel.
        steps: of each restart; fewer than 50 leave windows of one or two steps.
        restarts: how often to begin, each time at a random point of largest distance, as the authors' code does.
        rho: least share of rising steps in a window for the step size to be kept.

    References:
        F. Croce, M. Hein: Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
        Attacks. ICML 2020, arXiv:2003.01690.
    """

    def __init__(self, ball: Ball | None = None, steps: int = 100, restarts: int = 1, rho: float = 0.75) -> None:
        super().__init__(ball or default_ball())
        check_steps("steps", steps)
        check_steps("restarts", restarts)
        check_number("rho", rho, most=1)
        self.steps, self.restarts, self.rho = steps, restarts, rho

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        best = images
        for _ in range(self.restarts):
            best = self._climb(goal, images, self._start(images, draws))
        return best

    def _start(self, images: Tensor, draws: Draws) -> Tensor:
        if isinstance(self.ball, LInf):
            change = 2 * draws.uniform(images) - 1
            change = change / change.abs().amax(dim=(1, 2, 3), keepdim=True)
        else:
            change = self.ball.steepest(draws.normal(images))
        return (images + self.ball.eps * change).clamp(0, 1)

    def _climb(self, goal: Watched, images: Tensor, start: Tensor) -> Tensor:
        values, slope = goal.slope(start)
        best, best_value, best_slope = start, values, slope
        here, before = start, start
        size = torch.full_like(values, 2 * self.ball.eps)
        rises = torch.zeros_like(values)
        best_at_check, halved_at_check = best_value.clone(), torch.ones_like(values, dtype=torch.bool)
        window, since = max(1, int(0.22 * self.steps)), 0
        least, shorter = max(1, int(0.06 * self.steps)), max(1, int(0.03 * self.steps))
        for step in range(self.steps):
            keep = 0.75 if step else 1.0
            target = self.ball.project(here + _per_image(size) * self.ball.steepest(slope), around=images)
            moved = self.ball.project(here + keep * (target - here) + (1 - keep) * (here - before), around=images)
            before, here = here, moved
            last = values
            values, slope = goal.slope(here)
            rises += values > last
            better = values > best_value
            best_value = torch.where(better, values, best_value)
            best = torch.where(_per_image(better), here, best)
            best_slope = torch.where(_per_image(better), slope, best_slope)
            since += 1
            if since == window:
                slow = rises <= self.rho * window
                stuck = ~halved_at_check & (best_value <= best_at_check)
                halved = slow | stuck
                size = torch.where(halved, size / 2, size)
                here, slope = (
                    torch.where(_per_image(halved), best, here),
                    torch.where(_per_image(halved), best_slope, slope),
                )
                values = torch.where(halved, best_value, values)
                halved_at_check, best_at_check = halved, best_value.clone()
                rises.zero_()
                window, since = max(least, window - shorter), 0
        return best


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
