import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import Residual, ViM
from tests.scorers.heads import energies, headed, logits, with_heads


def test_virtual_logit_of_one_class() -> None:
    """One class with l = x: alpha = mean x / mean |y| = 4 / 2, so the score of (x, y) is x - 2 |y|."""
    rows = np.array([[3.0, 2], [5, -2], [3, -2], [5, 2]])

    scorer = ViM(dim=1).fit(rows, head=(np.array([[1.0, 0]]), np.zeros(1)))

    assert scorer.alpha_ == pytest.approx(2)
    np.testing.assert_allclose(scorer.score_samples(np.array([[6.0, 0], [6, -1], [0, 3]])), [6, 4, -6], atol=1e-9)


@given(with_heads(), st.integers(0, 10**6))
def test_is_energy_minus_alpha_times_the_residual(data, seed) -> None:
    """Score = LSE(l) - alpha |residual|, with alpha the mean largest logit over the mean residual of the fit rows."""
    rows, _, head = data
    dim = seed % rows.shape[1]
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))
    residual = Residual(dim).fit(rows, head=head)
    alpha = logits(rows, head).max(axis=1).mean() / -residual.score_samples(rows).mean()
    if alpha <= 0:
        return

    scorer = ViM(dim).fit(rows, head=head)

    expected = energies(queries, head) + alpha * residual.score_samples(queries)
    np.testing.assert_allclose(scorer.score_samples(queries), expected, rtol=1e-6, atol=1e-7)
    assert scorer.alpha_ == pytest.approx(alpha, rel=1e-6)


def test_agrees_in_float32() -> None:
    """float32 features give the float64 scores to 1e-5 of their size."""
    rows, _, head = headed(0, n=300, width=32, count=5)
    scorer = ViM().fit(rows.astype(np.float32), head=head)

    exact = ViM().fit(rows, head=head).score_samples(rows)

    np.testing.assert_allclose(scorer.score_samples(rows.astype(np.float32)), exact, atol=1e-5 * np.abs(exact).max())


def test_a_shift_of_the_bias_changes_scores() -> None:
    """Adding a constant to b moves the origin and alpha, so scores do not just shift."""
    rows, _, (weight, bias) = headed(1)
    plain, shifted = (ViM().fit(rows, head=(weight, bias + kappa)) for kappa in (0, 3))

    assert shifted.alpha_ != pytest.approx(plain.alpha_, rel=1e-3)
    assert np.ptp(shifted.score_samples(rows) - plain.score_samples(rows)) > 0.1


def test_a_layer_is_a_head_and_stays_untouched() -> None:
    """An nn.Linear is taken as the head; what is done to it after the fit does not matter."""
    rows, _, (weight, bias) = headed(2)
    layer = torch.nn.Linear(6, 3).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))
    scorer = ViM().fit(rows, head=layer)
    with torch.no_grad():
        layer.weight.zero_()

    expected = ViM().fit(rows, head=(weight, bias)).score_samples(rows)
    np.testing.assert_array_equal(scorer.score_samples(rows), expected)


def test_nothing_left_over_is_an_error() -> None:
    """With N <= d, or equal rows, the residual of the fit rows is 0 and alpha infinite; d >= D leaves no direction."""
    rows, _, head = headed(0, n=3, width=8)

    with pytest.raises(TooFewSamples, match="dim=4 needs fit samples that vary in more than 4 directions, the 3 given"):
        ViM().fit(rows, head=head)
    with pytest.raises(TooFewSamples, match="vary in 1"):
        ViM(dim=1).fit(np.tile(rows[:1], (50, 1)), head=head)
    with pytest.raises(InvalidInput, match="dim must be an integer from 0 to 7"):
        ViM(dim=8).fit(rows, head=head)


def test_negative_logits_are_an_error() -> None:
    """A mean largest logit that is not positive would make alpha reward distance."""
    rows, _, (weight, bias) = headed(0)

    with pytest.raises(InvalidInput, match="needs a positive mean largest logit, that of the fit samples is -"):
        ViM().fit(rows, head=(weight, bias - 1000))
