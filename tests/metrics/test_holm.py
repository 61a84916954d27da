"""Holm's adjusted p-values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oodkit.errors import InvalidInput
from oodkit.metrics import holm
from tests.metrics.samples import Array

some_p_values = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1) | st.sampled_from([0, 0.01, 0.5, 1]))


def step_down(p_values: Array, alpha: float) -> Array:
    """Holm's own procedure: from the smallest on, refute until one exceeds alpha / (tests that are left)."""
    refuted = np.zeros(len(p_values), dtype=bool)
    for step, i in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[i] * (len(p_values) - step) > alpha:
            break
        refuted[i] = True
    return refuted


def test_worked_example() -> None:
    """0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1, which may not fall below the one before."""
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06], rtol=1e-15)


@given(some_p_values, st.floats(0.001, 0.999))
def test_equals_the_step_down_procedure(p_values: Array, alpha: float) -> None:
    """An adjusted p-value is at most alpha where the procedure refutes at alpha."""
    np.testing.assert_array_equal(holm(p_values) <= alpha, step_down(p_values, alpha))


@given(some_p_values)
def test_lies_between_raw_and_bonferroni_and_keeps_the_order(p_values: Array) -> None:
    """Raw <= Holm <= min(1, m raw); a smaller p-value stays at most as large."""
    adjusted = holm(p_values)
    assert (p_values <= adjusted).all()
    assert (adjusted <= np.minimum(1, p_values * len(p_values))).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


@given(some_p_values, st.integers(0, 2**32 - 1))
def test_the_order_of_the_tests_does_not_matter(p_values: Array, seed: int) -> None:
    """Equal p-values get equal results, wherever they stand."""
    order = np.random.default_rng(seed).permutation(len(p_values))
    np.testing.assert_array_equal(holm(p_values[order]), holm(p_values)[order])


def test_one_test_is_unchanged_and_none_is_fine() -> None:
    """A family of one needs no adjustment."""
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).shape == (0,)


def test_a_table_is_one_family() -> None:
    """The shape stays."""
    table = np.array([[0.03, 0.01], [0.04, 0.02]])
    np.testing.assert_array_equal(holm(table), holm(table.ravel()).reshape(2, 2))


@pytest.mark.parametrize("wrong", [float("nan"), -0.1, 1.1])
def test_what_is_no_p_value_is_refused(wrong: float) -> None:
    """NaN would be ranked last and count as a test."""
    with pytest.raises(InvalidInput, match=r"p_values must lie in \[0, 1\], got"):
        holm([0.5, wrong])
    with pytest.raises(InvalidInput, match="cannot be read as an array of numbers"):
        holm(["a"])
