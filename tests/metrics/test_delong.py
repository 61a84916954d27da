"""DeLong's standard error and the interval made from it."""

from dataclasses import astuple
from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm

from oodkit.errors import InvalidInput
from oodkit.metrics import Auroc, auroc, auroc_interval
from tests.metrics.samples import Array, any_scores, pair_outcomes, tied_scores


def delong_variance(a: Array, b: Array) -> float:
    """Variance of the mean outcome by row means and column means of all pairs."""
    outcomes = pair_outcomes(a, b)
    rows, columns = outcomes.mean(axis=1), outcomes.mean(axis=0)
    return float(rows.var(ddof=1) / len(a) + columns.var(ddof=1) / len(b))


def test_worked_example() -> None:
    """AUROC 11/12 with variance 1/108."""
    result = auroc_interval([3, 3, 4, 5], [1, 3, 2])
    assert result.auroc == 11 / 12
    assert result.standard_error**2 == pytest.approx(1 / 108, rel=1e-12)


@given(any_scores, any_scores)
def test_equals_brute_force_over_all_pairs(a: Array, b: Array) -> None:
    """The standard error is that of row and column means of the pair table, the estimate is `auroc`."""
    assume(min(len(a), len(b)) > 1)
    result = auroc_interval(a, b)
    assert result.auroc == auroc(a, b)
    assert result.standard_error**2 == pytest.approx(delong_variance(a, b), rel=1e-9, abs=1e-15)


@given(any_scores, any_scores, st.floats(0.5, 0.999))
def test_the_interval_is_symmetric_on_the_logit_scale(a: Array, b: Array, level: float) -> None:
    """Its ends are the estimate's logit, plus and minus the normal quantile times the error's share of it."""
    assume(min(len(a), len(b)) > 1)
    error = sqrt(delong_variance(a, b))
    assume(error > 1e-9)
    area = auroc(a, b)
    half_width = norm.ppf((1 + level) / 2) * error / (area * (1 - area))

    result = auroc_interval(a, b, level=level)

    expected = expit(logit(area) + np.array([-half_width, half_width]))
    np.testing.assert_allclose([result.low, result.high], expected, rtol=0, atol=1e-9)


@given(any_scores, any_scores, st.floats(0.01, 0.999999))
def test_the_interval_lies_in_0_to_1_and_around_the_estimate(a: Array, b: Array, level: float) -> None:
    """Its width is never zero, whatever the scores."""
    assume(min(len(a), len(b)) > 1)
    result = auroc_interval(a, b, level)
    assert 0 <= result.low <= result.auroc <= result.high <= 1
    assert result.low < result.high


@given(any_scores, any_scores)
def test_a_higher_level_gives_a_wider_interval(a: Array, b: Array) -> None:
    """The interval at 99 % holds the one at 95 %, which holds the one at 50 %."""
    assume(min(len(a), len(b)) > 1)
    narrow, usual, wide = (auroc_interval(a, b, level) for level in (0.5, 0.95, 0.99))
    assert wide.low <= usual.low <= narrow.low
    assert narrow.high <= usual.high <= wide.high


@given(any_scores, any_scores)
def test_swapping_the_sides_mirrors_the_interval(a: Array, b: Array) -> None:
    """The standard error stays, the ends turn round one half."""
    assume(min(len(a), len(b)) > 1)
    result, swapped = auroc_interval(a, b), auroc_interval(b, a)
    assert swapped.standard_error == pytest.approx(result.standard_error, rel=1e-12)
    assert (swapped.low, swapped.high) == pytest.approx((1 - result.high, 1 - result.low), abs=1e-12)


@given(tied_scores, tied_scores)
def test_strictly_increasing_maps_change_nothing(a: Array, b: Array) -> None:
    """A detector and a monotone transform of it have the same estimate, error and interval, bit for bit."""
    mapped = auroc_interval(np.arctan(a), np.arctan(b))
    np.testing.assert_equal(astuple(mapped), astuple(auroc_interval(a, b)))  # as tuples: two NaNs count as equal


@given(tied_scores, st.integers(2, 6))
def test_repeating_all_images_shrinks_the_variance_by_about_as_much(a: Array, times: int) -> None:
    """With n scores a side the factor is (n - 1) / (times n - 1), by the n - 1 in both variances."""
    assume(len(a) > 1)
    b = np.roll(a, 1) - 0.5
    once = auroc_interval(a, b).standard_error ** 2
    repeated = auroc_interval(np.repeat(a, times), np.repeat(b, times)).standard_error ** 2
    assert repeated == pytest.approx(once * (len(a) - 1) / (times * len(a) - 1), rel=1e-9)


@pytest.mark.parametrize(("a", "b"), [([1.0], [0.0, 2.0]), ([1.0, 2.0], [0.0]), ([1.0], [0.0])])
def test_a_single_score_on_a_side_has_no_interval(a: list[float], b: list[float]) -> None:
    """One score has no variance: the estimate stands, error and ends are NaN and not 0."""
    result = auroc_interval(a, b)
    assert result.auroc == auroc(a, b)
    assert all(isnan(x) for x in (result.low, result.high, result.standard_error))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (np.arange(20) + 40.0, np.arange(30.0), (1.0, 0.8316, 1.0)),
        (np.arange(30.0), np.arange(20) + 40.0, (0.0, 0.0, 0.1684)),
        (np.zeros(20), np.zeros(30), (0.5, 0.4158, 0.5842)),
    ],
)
def test_equal_outcomes_of_all_pairs_get_the_exact_bound(a: Array, b: Array, expected: tuple[float, ...]) -> None:
    """0.025^(1/20) = 0.8316 for the smaller side of 20: never an interval of zero width."""
    result = auroc_interval(a, b)
    assert (result.auroc, result.low, result.high) == pytest.approx(expected, abs=5e-5)
    assert result.standard_error == 0


def test_the_bound_is_no_stricter_than_chance_allows() -> None:
    """In-scores that beat a constant with probability p all do with probability p^n: 2.5 % for p at the bound."""
    for n in (2, 10, 1000):
        assert auroc_interval(np.ones(n), np.zeros(n)).low ** n == pytest.approx(0.025, rel=1e-9)


@pytest.mark.parametrize(("true_auroc", "n", "least"), [(0.76, 100, 0.93), (0.983, 50, 0.92)])
def test_the_interval_covers_the_true_auroc_as_often_as_it_says(true_auroc: float, n: int, least: float) -> None:
    """Two normal samples of known AUROC, 2,000 times: about 95 %, also near 1 where a plain normal interval fails."""
    rng = np.random.default_rng(3)
    shift = sqrt(2) * norm.ppf(true_auroc)
    results = [auroc_interval(rng.normal(shift, 1, n), rng.normal(0, 1, n)) for _ in range(2000)]
    covered = np.mean([r.low <= true_auroc <= r.high for r in results])
    assert least <= covered <= 0.97


def test_small_and_nearly_separated_sets_are_covered_too() -> None:
    """AUROC 0.97 from 20 images a side, where half of all draws are separated perfectly."""
    rng = np.random.default_rng(4)
    draws = rng.random((2000, 20)) < 0.97
    results = [auroc_interval(np.where(won, 1.0, -1.0), np.zeros(20)) for won in draws]
    assert np.mean([r.auroc == 1 for r in results]) > 0.4
    assert np.mean([r.low <= 0.97 <= r.high for r in results]) >= 0.95


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.5, float("nan")])
def test_the_level_is_a_fraction_inside_0_to_1(level: float) -> None:
    """95 is a percentage, and 0 and 1 give no interval."""
    with pytest.raises(InvalidInput, match=r"level must be a fraction between 0 and 1, such as 0\.95, got"):
        auroc_interval([1.0, 2.0], [0.0, 1.5], level)


def test_an_extreme_level_is_still_finite() -> None:
    """The quantile is taken in the tail that floats can hold."""
    result = auroc_interval([1.0, 3.0, 4.0], [0.0, 2.0, 0.5], level=1 - 2**-53)
    assert 0 <= result.low < result.auroc < result.high <= 1


def test_the_result_is_a_value() -> None:
    """Equal inputs give equal, hashable results of plain floats."""
    first, second = auroc_interval([1, 2, 3], [0, 2]), auroc_interval([1, 2, 3], [0, 2])
    assert first == second
    assert len({first, second}) == 1
    assert isinstance(first, Auroc)
    assert {type(x) for x in vars(first).values()} == {float}
