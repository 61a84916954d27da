"""The loss whose optimum is the log-odds of a pair."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oodkit.scorers.pair_loss import WEIGHTS, draw_weight, pair_loss


@pytest.mark.parametrize(("weight", "expected"), [(1, 1.386294), (3, 2.249341), (9, 3.250830)])
def test_without_knowledge_it_is_log_1_g_and_g_log_1_1_g(weight, expected):
    """z = 0: log(1 + g) + g log(1 + 1/g)."""
    zeros = torch.zeros(5, dtype=torch.float64)
    assert expected == pytest.approx(math.log(1 + weight) + weight * math.log(1 + 1 / weight), abs=1e-6)
    assert float(pair_loss(zeros, zeros, weight)) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=2), st.integers(1, 9))
@settings(deadline=None)
def test_gradients_are_sigmoids(values, weight):
    """dL/dz_pos = -sigmoid(-a_pos) and dL/dz_neg = g sigmoid(a_neg), as finite differences of float64 say too."""
    positive, negative = (torch.tensor([z], dtype=torch.float64, requires_grad=True) for z in values)
    pair_loss(positive, negative, weight).backward()
    a_positive, a_negative = (value - math.log(weight) for value in values)
    assert float(positive.grad) == pytest.approx(-1 / (1 + math.exp(a_positive)), abs=1e-12)
    assert float(negative.grad) == pytest.approx(weight / (1 + math.exp(-a_negative)), abs=1e-12)
    assert torch.autograd.gradcheck(lambda p, n: pair_loss(p, n, weight), (positive, negative))


@pytest.mark.parametrize("weight", [1, 5])
def test_the_optimum_is_the_log_ratio_whatever_the_weight(weight):
    """Three kinds of pairs: p+ = (.5, .3, .2), p- = (.2, .3, .5) give z = (0.9163, 0, -0.9163)."""
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.2, 0.3, 0.5]).double()
    z = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([z], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14)
    zero = torch.zeros(1, dtype=torch.float64)

    def closure():
        optimiser.zero_grad()
        rest = pair_loss(zero, zero, weight)  # of the half that is not looked at
        parts = [
            p[i] * (pair_loss(z[i : i + 1], zero, weight) - rest)
            + q[i] * (pair_loss(zero, z[i : i + 1], weight) - rest)
            for i in range(3)
        ]
        loss = torch.stack(parts).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    torch.testing.assert_close(z.detach(), (p / q).log(), atol=1e-4, rtol=0)
    assert z.detach().tolist() == pytest.approx([0.9163, 0, -0.9163], abs=1e-4)


def test_weights_are_1_to_9_each_as_often():
    """Never 10; the same seed draws the same."""
    draw = [draw_weight(generator) for generator in [torch.Generator().manual_seed(0)] for _ in range(1800)]
    assert set(draw) == set(WEIGHTS) == set(range(1, 10))
    assert min(draw.count(weight) for weight in WEIGHTS) > 140
    again = torch.Generator().manual_seed(0)
    assert draw == [draw_weight(again) for _ in range(1800)]
