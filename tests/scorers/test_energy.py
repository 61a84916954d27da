import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import Energy
from tests.scorers.logit_rows import log_sum_exp, logit_rows


def energy(rows, temperature: float = 1.0):
    return Energy(temperature).fit(rows).score_samples(rows)


def test_score_is_the_log_of_the_sum_of_exponentials() -> None:
    """log(1 + 2 + 5) for logits log 1, log 2, log 5; at T = 2 it is 2 log(1 + 3) for log 1 and log 9."""
    np.testing.assert_allclose(energy(np.log([[1.0, 2.0, 5.0]])), [np.log(8)], rtol=1e-12)
    np.testing.assert_allclose(energy(np.log([[1.0, 9.0]]), 2.0), [2 * np.log(4)], rtol=1e-12)


@given(logit_rows(), st.sampled_from([0.1, 1.0, 5.0]))
def test_agrees_with_a_loop_and_keeps_its_bounds(rows, temperature) -> None:
    """The score is T LSE(l / T), at least the largest logit and at most T log C above it."""
    scores, top = energy(rows, temperature), rows.max(axis=1)

    np.testing.assert_allclose(scores, [temperature * log_sum_exp(row / temperature) for row in rows], atol=1e-10)
    assert (scores >= top - 1e-9).all()
    assert (scores <= top + temperature * np.log(rows.shape[1]) + 1e-9).all()


@given(logit_rows())
def test_limits_of_the_temperature(rows) -> None:
    """T near 0 gives the largest logit; a large T the mean logit, after T log C is taken off."""
    np.testing.assert_allclose(energy(rows, 1e-5), rows.max(axis=1), atol=1e-4)
    large = 1e6
    np.testing.assert_allclose(energy(rows, large) - large * np.log(rows.shape[1]), rows.mean(axis=1), atol=1e-3)


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_rises_with_the_level_and_ignores_the_order_of_classes(rows, level, seed) -> None:
    """A constant added to a row is added to the score; a permutation of classes changes nothing."""
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    np.testing.assert_allclose(energy(rows[:, order] + level), energy(rows) + level, atol=1e-9)


def test_extreme_rows() -> None:
    """Logits of +-10,000 do not overflow; one class scores its logit; equal logits add log C."""
    np.testing.assert_allclose(energy(np.array([[1e4, -1e4], [-1e4, -1e4]])), [1e4, -1e4 + np.log(2)], rtol=1e-12)
    assert energy(np.array([[3.0], [-2.0]])).tolist() == [3, -2]


def test_the_temperature_is_positive() -> None:
    """Anything else is refused in fit."""
    with pytest.raises(InvalidInput, match="temperature must be a positive number, got 0"):
        Energy(0).fit(np.eye(2))
