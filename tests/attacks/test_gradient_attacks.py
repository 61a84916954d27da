"""Attacks by gradients on scores whose optimum is known."""

import numpy as np
import pytest
import torch

from oodkit.attacks import create_attack
from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.goal import Goal
from tests.attacks.linear import images, linear, weights

NAMES = ["fgsm", "pgd", "momentum_pgd", "apgd"]


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_of_a_linear_score_under_linf(name) -> None:
    """Gain sum |w| min(eps, room), room up to the end of the range in the direction of w: within 1e-4."""
    x, w, eps = images(), weights(), 8 / 255
    room = torch.where(w > 0, 1 - x, x).clamp_max(eps)
    best = (w.abs() * room).double().sum(dim=(1, 2, 3))

    found = create_attack(name, LInf(eps)).run(linear(w), x)

    np.testing.assert_allclose(found.after - found.before, best, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_of_a_linear_score_under_l2(name) -> None:
    """Gain eps |w| where no pixel meets the end of its range: within 1e-4 of it, before rounding."""
    x, w, eps = images(low=100, high=150), weights(), 0.5

    found = create_attack(name, L2(eps)).run(linear(w), x, whole_levels=False)

    np.testing.assert_allclose(found.after - found.before, eps * w.double().norm(), atol=1e-4)


def test_pgd_goes_as_far_as_its_steps() -> None:
    """Two steps of 2/255 raise a linear score by 4/255 |w|_1."""
    x, w = images(low=100, high=150), weights()

    found = create_attack("pgd", LInf(8 / 255), steps=2, step_size=2 / 255).run(linear(w), x)

    np.testing.assert_allclose(found.after - found.before, 4 / 255 * w.abs().double().sum(), atol=1e-4)


@pytest.mark.parametrize("name", ["pgd", "apgd"])
def test_the_nearest_point_of_a_quadratic(name) -> None:
    """The largest -|x - m|^2 / 2 in a ball is the projection of m on it: m itself where it lies inside."""
    x = images(2, low=100, high=150)
    target = x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(4))
    goal = Goal(lambda pixels: -(pixels - target).square().sum(dim=(1, 2, 3)) / 2)
    distance = (target - x).flatten(1).norm(dim=1)

    outside = create_attack(name, L2(0.1), steps=200).run(goal, x, whole_levels=False)
    inside = create_attack(name, L2(1.0), steps=400).run(goal, x, whole_levels=False)

    np.testing.assert_allclose(outside.after, -((distance - 0.1) ** 2) / 2, atol=2e-4)
    np.testing.assert_allclose(inside.after, [0, 0], atol=2e-3)


def test_restarts_can_only_help() -> None:
    """On a bumpy score the best of several restarts is at least that of the first."""
    w = weights()
    goal = Goal(lambda pixels: torch.sin(40 * (pixels * w).sum(dim=(1, 2, 3))))
    one, many = (
        create_attack("pgd", LInf(2 / 255), steps=5, restarts=n).run(goal, images(), whole_levels=False) for n in (1, 4)
    )

    assert (many.after >= one.after).all()


def test_apgd_halves_its_steps_where_pgd_overshoots() -> None:
    """On a narrow ridge APGD ends above PGD with the same number of steps."""
    x = images(2, low=100, high=150)
    scale = torch.linspace(1, 30, x[0].numel()).view(x[0].shape)
    target = x + 3 / 255
    goal = Goal(lambda pixels: -(scale * (pixels - target)).square().sum(dim=(1, 2, 3)))

    fixed = create_attack("pgd", LInf(16 / 255), steps=60, step_size=8 / 255).run(goal, x, whole_levels=False)
    found = create_attack("apgd", LInf(16 / 255), steps=60).run(goal, x, whole_levels=False)

    assert (found.after > fixed.after).all()


def test_momentum_keeps_the_direction_of_earlier_steps() -> None:
    """With a gradient that turns after the first step, decay 2 goes on along the first, decay 0 turns back."""
    x = images(1, low=100, high=150)
    goal = Goal(lambda pixels: -(pixels - x - 1e-4).abs().sum(dim=(1, 2, 3)))

    def last(decay: float) -> float:
        attack = create_attack("momentum_pgd", LInf(8 / 255), steps=2, step_size=2 / 255, decay=decay)
        attack.keeps_best = False
        return float(attack.run(goal, x, whole_levels=False).found / x.numel())

    assert last(2.0) == pytest.approx(-(4 / 255 - 1e-4), abs=1e-5)
    assert last(0.0) == pytest.approx(-1e-4, abs=1e-5)
