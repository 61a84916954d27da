"""The paired comparison of two AUROCs."""

from math import isnan, sqrt
from time import perf_counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from oodkit.errors import InvalidInput
from oodkit.metrics import auroc, auroc_interval, paired_delong, smallest_detectable_difference
from tests.metrics.samples import Array, pair_outcomes, tied_scores

# Scores of two detectors on the same images, as columns: on a grid with ties, and without.
grid = st.integers(-6, 6).map(lambda i: i / 2)
two_detectors = arrays(np.float64, st.tuples(st.integers(2, 25), st.just(2)), elements=grid | st.floats(-1e3, 1e3))


def covariance(in_1: Array, out_1: Array, in_2: Array, out_2: Array) -> float:
    """DeLong's covariance of two AUROCs by row and column means of all pairs."""
    table_1, table_2 = pair_outcomes(in_1, out_1), pair_outcomes(in_2, out_2)
    rows = np.cov(table_1.mean(axis=1), table_2.mean(axis=1), ddof=1)[0, 1] / len(in_1)
    columns = np.cov(table_1.mean(axis=0), table_2.mean(axis=0), ddof=1)[0, 1] / len(out_1)
    return float(rows + columns)


def test_worked_example() -> None:
    """A: V = 5/6, 5/6, 1, 1 and W = 1, 3/4, 1. B wins all pairs: the variance is that of A alone, 1/108."""
    result = paired_delong([3, 3, 4, 5], [1, 3, 2], [4, 5, 6, 7], [1, 3, 2])
    assert (result.auroc_a, result.auroc_b) == (11 / 12, 1.0)
    assert result.difference == -1 / 12
    assert result.standard_error == pytest.approx(sqrt(1 / 108), rel=1e-12)
    z = -(1 / 12) / sqrt(1 / 108)
    assert result.p_value == pytest.approx(2 * norm.cdf(z), rel=1e-12)
    assert result.low == pytest.approx(-1 / 12 - norm.ppf(0.975) * sqrt(1 / 108), rel=1e-12)
    assert result.high == pytest.approx(-1 / 12 + norm.ppf(0.975) * sqrt(1 / 108), rel=1e-12)
    assert not result.zero_variance


@given(two_detectors, two_detectors)
def test_equals_brute_force_over_all_pairs(inside: Array, outside: Array) -> None:
    """The variance is v(A) + v(B) - 2 cov(A, B) of row and column means of the pair tables."""
    a, b = (inside[:, 0], outside[:, 0]), (inside[:, 1], outside[:, 1])
    result = paired_delong(*a, *b)
    expected = covariance(*a, *a) + covariance(*b, *b) - 2 * covariance(*a, *b)
    assert (result.auroc_a, result.auroc_b) == (auroc(*a), auroc(*b))
    assert result.difference == pytest.approx(auroc(*a) - auroc(*b), abs=1e-15)
    assert result.standard_error**2 == pytest.approx(expected, rel=1e-9, abs=1e-15)
    if not result.zero_variance:
        assert result.p_value == pytest.approx(2 * norm.sf(abs(result.difference) / sqrt(expected)), rel=1e-6)
    assert -1 <= result.low <= result.difference <= result.high <= 1


@given(tied_scores, tied_scores, st.sampled_from([np.exp, np.arctan, lambda x: 3 * x - 7]))
def test_a_monotone_transform_of_a_detector_is_the_same_detector(a: Array, b: Array, transform: object) -> None:
    """Difference 0 and p = 1, exactly and without 0/0."""
    assume(min(len(a), len(b)) > 1)
    assert callable(transform)
    result = paired_delong(a, b, transform(a), transform(b))
    assert (result.difference, result.standard_error, result.p_value) == (0, 0, 1)
    assert (result.low, result.high) == (0, 0)
    assert result.zero_variance


@given(two_detectors, two_detectors)
def test_swapping_the_detectors_mirrors_the_result(inside: Array, outside: Array) -> None:
    """The difference and its interval change sign; error and p stay, bit for bit."""
    a, b = (inside[:, 0], outside[:, 0]), (inside[:, 1], outside[:, 1])
    result, swapped = paired_delong(*a, *b), paired_delong(*b, *a)
    assert (swapped.difference, swapped.low, swapped.high) == (-result.difference, -result.high, -result.low)
    assert (swapped.standard_error, swapped.p_value) == (result.standard_error, result.p_value)


@given(two_detectors, two_detectors)
def test_swapping_the_sides_mirrors_the_result(inside: Array, outside: Array) -> None:
    """AUROC turns round one half, so the difference changes its sign."""
    a, b = (inside[:, 0], outside[:, 0]), (inside[:, 1], outside[:, 1])
    result, swapped = paired_delong(*a, *b), paired_delong(*a[::-1], *b[::-1])
    assert swapped.difference == -result.difference
    assert swapped.standard_error == pytest.approx(result.standard_error, rel=1e-12)


@given(two_detectors, two_detectors, st.randoms(use_true_random=False))
def test_images_may_come_in_any_common_order(inside: Array, outside: Array, random: object) -> None:
    """Shuffling the images of both detectors alike changes nothing but rounding."""
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    result = paired_delong(inside[:, 0], outside[:, 0], inside[:, 1], outside[:, 1])
    inside, outside = rng.permutation(inside), rng.permutation(outside)
    shuffled = paired_delong(inside[:, 0], outside[:, 0], inside[:, 1], outside[:, 1])
    assert shuffled.difference == result.difference
    assert shuffled.standard_error == pytest.approx(result.standard_error, rel=1e-12)


def test_pairing_matters() -> None:
    """Detectors that agree image by image differ by less noise than independent ones with the same AUROCs."""
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(1, 1, 300), rng.normal(0, 1, 300)
    b = inside + rng.normal(0, 0.1, 300), outside + rng.normal(0, 0.1, 300)
    paired = paired_delong(inside, outside, *b).standard_error
    unpaired = sqrt(auroc_interval(inside, outside).standard_error ** 2 + auroc_interval(*b).standard_error ** 2)
    assert paired < unpaired / 3


def test_zero_variance_of_unequal_detectors_is_flagged() -> None:
    """One separates perfectly, the other inverts: p = 0 by the formula, and the flag says so."""
    result = paired_delong([3, 4], [1, 2], [1, 2], [3, 4])
    assert (result.difference, result.standard_error, result.p_value, result.zero_variance) == (1, 0, 0, True)
    assert (result.low, result.high) == (1, 1)


@pytest.mark.parametrize(("inside", "outside"), [([1.0], [0.0, 2.0]), ([1.0, 2.0], [0.0]), ([1.0], [0.0])])
def test_a_single_image_on_a_side_has_no_variance(inside: list[float], outside: list[float]) -> None:
    """The difference stands; error, ends and p are NaN and not 0."""
    result = paired_delong(inside, outside, inside, outside)
    assert result.difference == 0
    assert all(isnan(x) for x in (result.low, result.high, result.standard_error, result.p_value))
    assert not result.zero_variance


def test_tiny_p_values_do_not_vanish() -> None:
    """A difference of 14 standard errors has p near 1e-44, not 0."""
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(1.5, 1, 1000), rng.normal(0, 1, 1000)
    result = paired_delong(inside, outside, rng.normal(0.6, 1, 1000), rng.normal(0, 1, 1000))
    z = result.difference / result.standard_error
    assert 10 < z < 30
    assert result.p_value == pytest.approx(2 * norm.sf(z), rel=1e-9)
    assert result.p_value > 0


def test_the_test_errs_as_often_as_it_says_and_its_interval_covers() -> None:
    """Two equally good detectors that share part of their noise, 2,000 times with 100 images a side: about 5 %."""
    rng = np.random.default_rng(1)
    p_values, covered = [], []
    for _ in range(2000):
        shared = rng.normal([[1.0], [0.0]], 1, (2, 100))
        a, b = (shared + rng.normal(0, 0.7, (2, 100)) for _ in range(2))
        result = paired_delong(*a, *b)
        p_values.append(result.p_value)
        covered.append(result.low <= 0 <= result.high)
    assert 0.035 <= np.mean(np.array(p_values) <= 0.05) <= 0.065
    assert np.mean(covered) == np.mean(np.array(p_values) >= 0.05)


def test_large_sets_take_no_table_of_pairs() -> None:
    """200,000 images a side, whose pairs would fill 40 GB as bytes, take seconds."""
    rng = np.random.default_rng(0)
    scores = [rng.normal(shift, 1, 200_000).astype(np.float32) for shift in (1, 0, 0.9, 0)]
    start = perf_counter()
    assert paired_delong(*scores).difference > 0
    assert perf_counter() - start < 20


def test_offsets_of_a_million_change_nothing() -> None:
    """Only the order counts."""
    a = np.array([3.0, 3, 4, 5]), np.array([1.0, 3, 2])
    b = np.array([3.0, 2, 4, 5]), np.array([1.0, 3, 2])
    assert paired_delong(*a, *b) == paired_delong(*(x + 1e6 for x in a), *(x - 1e6 for x in b))


def test_unequal_numbers_of_images_are_refused() -> None:
    """The message names the side."""
    with pytest.raises(InvalidInput, match="in_a has 2 scores and in_b has 3; a paired test needs"):
        paired_delong([1, 2], [0, 1], [1, 2, 3], [0, 1])
    with pytest.raises(InvalidInput, match="out_a has 2 scores and out_b has 1; a paired test needs"):
        paired_delong([1, 2], [0, 1], [1, 2], [0])


@pytest.mark.parametrize("side", range(4))
def test_bad_scores_are_refused_by_name(side: int) -> None:
    """NaN and empty sides."""
    name = ("in_a", "out_a", "in_b", "out_b")[side]
    scores: list[list[float]] = [[1, 2], [0, 1], [1, 2], [0, 1]]
    scores[side] = [1, float("nan")]
    with pytest.raises(InvalidInput, match=f"{name} holds NaN in 1 of 2 places"):
        paired_delong(*scores)
    scores[side] = []
    with pytest.raises(InvalidInput, match=f"{name} is empty"):
        paired_delong(*scores)


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_the_level_is_a_fraction_inside_0_to_1(level: float) -> None:
    """As for a single AUROC."""
    with pytest.raises(InvalidInput, match="level must be a fraction"):
        paired_delong([1, 2], [0, 1], [1, 2], [0, 1], level)


def test_the_smallest_detectable_difference_is_2_80_standard_errors() -> None:
    """1.960 + 0.842 for a level of 5 % and a power of 80 %."""
    assert smallest_detectable_difference(0.01) == pytest.approx(0.0280159, abs=1e-7)
    assert smallest_detectable_difference(0.01, alpha=0.01, power=0.9) == pytest.approx(0.0385740, abs=1e-6)


def test_that_difference_is_found_as_often_as_the_power_says() -> None:
    """Detector A is better by what 300 images a side can detect: significant in about 80 % of 1,000 draws."""
    rng = np.random.default_rng(2)
    n, gap = 300, 0.2445
    results = []
    for _ in range(1000):
        shared = rng.normal(0, 1, (2, n))
        a, b = (shared + rng.normal(0, 0.7, (2, n)) + [[1.0 + more], [0.0]] for more in (gap, 0))
        results.append(paired_delong(*a, *b))
    detectable = np.mean([smallest_detectable_difference(r.standard_error) for r in results])
    true_gap = np.mean([r.difference for r in results])
    found = np.mean([r.p_value <= 0.05 for r in results])
    expected = norm.cdf(true_gap / detectable * 2.8016 - 1.96)
    assert found == pytest.approx(expected, abs=0.05)
    assert 0.6 < expected < 0.95


@pytest.mark.parametrize("error", [0.0, float("nan")])
def test_no_uncertainty_is_known_so_no_difference_is(error: float) -> None:
    """A standard error of 0 would claim that any difference shows."""
    assert isnan(smallest_detectable_difference(error))


@pytest.mark.parametrize(("alpha", "power"), [(0, 0.8), (0.05, 1), (5, 80), (0.5, 0.4), (float("nan"), 0.8)])
def test_level_and_power_are_fractions(alpha: float, power: float) -> None:
    """A power below the level is had by chance."""
    with pytest.raises(InvalidInput, match="alpha and power must be fractions with 0 < alpha < power < 1"):
        smallest_detectable_difference(0.1, alpha, power)


@pytest.mark.parametrize("error", [-0.1, float("inf")])
def test_impossible_errors_are_refused(error: float) -> None:
    """Neither negative nor infinite."""
    with pytest.raises(InvalidInput, match="standard_error must be finite and not negative"):
        smallest_detectable_difference(error)
