import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import MSP, ODIN
from tests.scorers.logit_rows import GAPS, logit_rows, probabilities


def odin(rows, temperature: float = 1000.0):
    return ODIN(temperature).fit(rows).score_samples(rows)


def test_score_is_the_log_of_the_largest_probability_above_uniform() -> None:
    """Probabilities 3/4 and 1/4 at T = 2: 2 log(3/4 x 2)."""
    np.testing.assert_allclose(odin(2 * np.log([[3.0, 1.0]]), 2.0), [2 * np.log(1.5)], rtol=1e-12)


@given(logit_rows(), st.sampled_from([0.5, 1.0, 10.0, 1000.0]))
def test_agrees_with_a_loop_at_every_temperature(rows, temperature) -> None:
    """The score is T log(C p) with p the largest probability of l / T, and never negative."""
    scores, width = odin(rows, temperature), rows.shape[1]

    by_loop = [temperature * np.log(width * max(probabilities(row / temperature))) for row in rows]
    np.testing.assert_allclose(scores, by_loop, atol=1e-9 * temperature)
    assert (scores >= 0).all()


@given(logit_rows(), st.sampled_from([0.5, 1.0, 10.0]))
def test_is_the_maximum_probability_on_another_scale(rows, temperature) -> None:
    """At any temperature the score is T (log maximum probability + log C)."""
    log_p = MSP(temperature).fit(rows).score_samples(rows)

    np.testing.assert_allclose(odin(rows, temperature), temperature * (log_p + np.log(rows.shape[1])), atol=1e-8)


@given(logit_rows())
def test_for_large_temperatures_it_is_the_largest_minus_the_mean_logit(rows) -> None:
    """The limit of (p - 1/C) C T is max l - mean l; float32 reaches it as well, without ties."""
    expected = rows.max(axis=1) - rows.mean(axis=1)

    np.testing.assert_allclose(odin(rows, 1e8), expected, atol=1e-4)
    np.testing.assert_allclose(odin(rows.astype(np.float32), 1e8), expected, atol=1e-3)


def test_float32_does_not_tie_at_high_temperature() -> None:
    """A thousand classes at T = 1000: all scores differ, where float32 probabilities take few values."""
    rows = np.random.default_rng(0).normal(0, 1, (2000, 1000)).astype(np.float32)

    probability = torch.softmax(torch.from_numpy(rows) / 1000, dim=1).amax(dim=1)

    assert len(np.unique(odin(rows))) > 1990
    assert len(probability.unique()) < 1990


def test_extreme_rows() -> None:
    """Confident rows keep their order at any temperature; +-10,000 is finite; one class scores 0."""
    for temperature in (1.0, 1000.0):
        assert (np.diff(odin(GAPS, temperature)) >= 0).all()
        assert np.isfinite(odin(np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]), temperature)).all()
    assert (np.diff(odin(GAPS)) > 0).all()
    assert odin(np.array([[4.0], [2.0]])).tolist() == [0, 0]


def test_a_step_along_its_gradient_raises_the_largest_probability() -> None:
    """A linear model, moved by the sign of the gradient, is surer of its class, as ODIN's step on an image is to be."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(10, 5, generator=generator)
    x = torch.randn(20, 5, generator=generator, requires_grad=True)
    scorer = ODIN().fit(torch.zeros(1, 10))

    scores = scorer.score_tensor(x @ weight.T)
    (slope,) = torch.autograd.grad(scores.sum(), x)

    assert (scorer.score_tensor((x + 1e-3 * slope.sign()) @ weight.T) > scores).all()


def test_the_temperature_is_positive() -> None:
    """Anything else is refused in fit."""
    with pytest.raises(InvalidInput, match="temperature must be a positive number, got -1"):
        ODIN(-1).fit(np.eye(2))
