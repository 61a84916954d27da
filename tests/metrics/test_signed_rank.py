"""Wilcoxon's signed-rank test and comparisons with a control."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import compare_with_control, holm, signed_rank_p_value
from tests.metrics.samples import Array

tied_differences = arrays(np.float64, st.integers(1, 9), elements=st.integers(-4, 4).map(float))
distinct_differences = st.lists(st.integers(1, 1000), min_size=1, max_size=30, unique=True).flatmap(
    lambda sizes: st.tuples(*(st.sampled_from([-float(s), float(s)]) for s in sizes)).map(np.array)
)


def share_of_signs_as_far_out(differences: Array) -> float:
    """The exact p-value by trying all signs of the non-zero differences."""
    sizes = np.abs(differences[differences != 0])
    if len(sizes) == 0:
        return 1.0
    ranks = stats.rankdata(sizes)
    middle = ranks.sum() / 2
    observed = abs(ranks[differences[differences != 0] > 0].sum() - middle)
    signs = np.array(list(product([0, 1], repeat=len(ranks))))
    return float((np.abs(signs @ ranks - middle) >= observed).mean())


def test_worked_example() -> None:
    """Ranks of -1, 2, 3 with signs: the negative sum 1 is reached by 0 and 1, so p = 2 x 2/8."""
    assert signed_rank_p_value([-1, 2, 3]) == 0.5


@given(tied_differences)
def test_equals_all_choices_of_signs_with_ties_and_zeros(differences: Array) -> None:
    """The exact distribution given the midranks; zeros are dropped."""
    assert signed_rank_p_value(differences) == pytest.approx(share_of_signs_as_far_out(differences), rel=1e-12)


@given(distinct_differences)
def test_equals_scipy_without_ties(differences: Array) -> None:
    """SciPy's exact p-value, which is for distinct sizes."""
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank_p_value(differences) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 18, 200])
def test_the_least_p_value_is_2_to_the_1_minus_n(n: int) -> None:
    """Also if all differences are equal: 0.0625 for 5 pairs, 7.6e-6 for 18."""
    assert signed_rank_p_value(np.arange(1.0, n + 1)) == pytest.approx(2.0 ** (1 - n), rel=1e-12)
    assert signed_rank_p_value(-np.ones(n)) == pytest.approx(2.0 ** (1 - n), rel=1e-12)


def test_zeros_change_nothing() -> None:
    """They are dropped; with nothing left there is nothing to refute."""
    assert signed_rank_p_value([0, -1, 2, 0, 3, 0]) == signed_rank_p_value([-1, 2, 3])
    assert signed_rank_p_value([0.0, 0.0]) == 1


def test_long_rows_go_over_to_the_normal_distribution_smoothly() -> None:
    """200 differences are exact, 201 approximate; nearly the same rows have nearly the same p."""
    rng = np.random.default_rng(0)
    differences = rng.normal(0.12, 1, 200)
    exact = signed_rank_p_value(differences)
    approximate = signed_rank_p_value(np.append(differences, 1e-9))
    assert 0.001 < exact < 0.5
    assert approximate == pytest.approx(exact, rel=0.03)


def test_p_values_of_equal_methods_are_valid() -> None:
    """Under random signs p is at most alpha in no more than a share alpha of 2,000 draws, but for noise."""
    rng = np.random.default_rng(0)
    p_values = np.array([signed_rank_p_value(rng.integers(-5, 6, 18)) for _ in range(2000)])
    for alpha in (0.05, 0.2):
        assert np.mean(p_values <= alpha) < alpha + 0.015


def test_compares_each_other_method_with_the_control() -> None:
    """Wins, ties and losses are the method's own; p is its row's; Holm runs over the rows."""
    table = np.array([[0.9, 0.8, 0.7, 0.6, 0.5], [0.8, 0.7, 0.6, 0.5, 0.4], [0.95, 0.8, 0.6, 0.7, 0.9]])
    first, last = compare_with_control(table, control=1)
    assert (first.method, first.wins, first.ties, first.losses) == (0, 5, 0, 0)
    assert (last.method, last.wins, last.ties, last.losses) == (2, 4, 1, 0)
    assert first.p_value == first.least_p_value == 0.0625
    assert last.p_value == last.least_p_value == 0.125
    assert [first.adjusted_p_value, last.adjusted_p_value] == holm([0.0625, 0.125]).tolist()


def test_swapping_method_and_control_swaps_wins_and_losses() -> None:
    """Of two methods, either may be the control; p is the same."""
    table = np.random.default_rng(0).random((2, 12))
    (forward,), (backward,) = compare_with_control(table, 0), compare_with_control(table, 1)
    assert (forward.wins, forward.losses) == (backward.losses, backward.wins)
    assert forward.p_value == backward.p_value == forward.adjusted_p_value


def test_a_method_equal_to_the_control_has_p_1() -> None:
    """No 0/0; no table of no differences could be significant."""
    (result,) = compare_with_control([[0.5, 0.6], [0.5, 0.6]], 0)
    assert (result.wins, result.ties, result.losses) == (0, 2, 0)
    assert (result.p_value, result.adjusted_p_value, result.least_p_value) == (1, 1, 1)


@pytest.mark.parametrize("control", [-1, 2])
def test_the_control_is_a_row(control: int) -> None:
    """Negative numbers do not count from the end."""
    with pytest.raises(InvalidInput, match="control must be a row of the table, 0 to 1"):
        compare_with_control([[0.5, 0.6], [0.5, 0.7]], control)


def test_bad_tables_are_refused() -> None:
    """With the reason."""
    with pytest.raises(TooFewSamples, match="at least 2 methods"):
        compare_with_control([[0.5, 0.6]], 0)
    with pytest.raises(InvalidInput, match=r"the table must have shape \(methods, pairs\)"):
        compare_with_control([0.5, 0.6], 0)
    with pytest.raises(InvalidInput, match="the table: 1 of 4 values are not finite"):
        compare_with_control([[0.5, 0.6], [float("inf"), 0.7]], 0)
    with pytest.raises(InvalidInput, match="differences: 1 of 2 values are not finite"):
        signed_rank_p_value([0.1, float("nan")])
    with pytest.raises(InvalidInput, match="hold something"):
        signed_rank_p_value([])
    with pytest.raises(InvalidInput, match="cannot be read"):
        signed_rank_p_value(["a"])
