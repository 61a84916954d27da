import pytest
import torch

from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.draws import Draws
from oodkit.attacks.goal import Goal
from oodkit.attacks.square import Square, _window
from tests.attacks.linear import images, linear, weights


def test_a_single_pixel_reaches_its_optimum() -> None:
    """On a 1 x 1 image a linear score soon has all three channels at their ends."""
    x, w = images(4, 1, low=50, high=200), weights(1)

    found = Square(LInf(8 / 255), steps=40).run(linear(w), x, seeds=1)

    torch.testing.assert_close(found.after - found.before, (8 / 255 * w.abs().sum()).expand(4), atol=1e-4, rtol=0)


@pytest.mark.parametrize("ball", [LInf(8 / 255), L2(1.0)])
def test_more_steps_do_no_worse_and_gain_much(ball) -> None:
    """The best so far never falls; many steps find a good part of the optimum of a smooth score."""
    x = images(4, 16, low=100, high=150)
    w = torch.nn.functional.interpolate(weights(4)[None], 16)[0]
    best = ball.eps * (w.abs().sum() if ball.norm == "linf" else w.norm())

    gains = [
        float((found := Square(ball, steps=n).run(linear(w), x, seeds=1)).after.sub(found.before).mean())
        for n in (10, 100, 800)
    ]

    assert gains[0] <= gains[1] <= gains[2]
    assert gains[2] > 0.45 * best


def test_windows_reach_every_border() -> None:
    """Over many draws the first and the last row and column are covered."""
    covered = _window(torch.zeros(500, 3, 6, 6), 2, Draws(range(500)))

    assert (covered.sum(dim=(1, 2)) == 4).all()
    assert covered.any(dim=0).all()


def test_no_gradient_is_asked_for() -> None:
    """A score of integers, whose gradient does not exist, can be attacked."""
    goal = Goal(lambda pixels: (pixels * 255).round().long().sum(dim=(1, 2, 3)).double(), differentiable=False)

    found = Square(LInf(8 / 255), steps=200).run(goal, images())

    assert (found.after > found.before).all()
