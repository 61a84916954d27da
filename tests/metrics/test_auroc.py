"""AUROC: exact, whatever the scores look like."""

import tracemalloc
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from oodkit.metrics import auroc
from tests.metrics.samples import Array, any_scores, finite_scores, labelled, pair_outcomes, tied_scores

Real = type[np.float32] | type[np.float64]


def test_worked_example() -> None:
    """Of the 12 pairs 10 are in order and two are tied."""
    assert auroc([3, 3, 4, 5], [1, 3, 2]) == 11 / 12


@given(any_scores, any_scores)
def test_equals_the_mean_over_all_pairs(a: Array, b: Array) -> None:
    """A pair in order counts 1, a tie one half; sums of halves are exact, so nothing is left to round."""
    assert auroc(a, b) == pair_outcomes(a, b).sum() / (len(a) * len(b))


@given(tied_scores | finite_scores, tied_scores | finite_scores)
def test_equals_scikit_learn_and_mann_whitney(a: Array, b: Array) -> None:
    """Two independent libraries give the same number."""
    assert auroc(a, b) == pytest.approx(roc_auc_score(*labelled(a, b)), abs=1e-12)
    assert auroc(a, b) == pytest.approx(mannwhitneyu(a, b).statistic / (len(a) * len(b)), abs=1e-12)


@given(tied_scores, tied_scores)
def test_strictly_increasing_maps_change_nothing(a: Array, b: Array) -> None:
    """Only the order counts: exp, arctan, a cube, a scale and ranks leave it as it is, ties included."""
    ranks = np.unique(np.concatenate([a, b]))
    for increasing in (np.exp, np.arctan, lambda x: x**3, lambda x: 1e-300 * x, lambda x: np.searchsorted(ranks, x)):
        assert auroc(increasing(a), increasing(b)) == auroc(a, b)


@given(any_scores, any_scores)
def test_turning_the_sign_or_swapping_the_sides_gives_the_complement(a: Array, b: Array) -> None:
    """Doing both leaves it as it is, bit for bit."""
    assert auroc(-a, -b) == pytest.approx(1 - auroc(a, b), abs=1e-15)
    assert auroc(b, a) == pytest.approx(1 - auroc(a, b), abs=1e-15)
    assert auroc(-b, -a) == auroc(a, b)


@given(any_scores, any_scores)
def test_twice_the_pairs_times_auroc_is_an_integer(a: Array, b: Array) -> None:
    """Pairs are counted in halves."""
    doubled = 2 * len(a) * len(b) * auroc(a, b)
    assert doubled == pytest.approx(round(doubled), abs=1e-9)


def test_constant_scores_give_one_half_and_separated_ones_the_ends() -> None:
    """One half, one and zero exactly."""
    assert auroc([7.0] * 9, [7.0] * 4) == 0.5
    assert auroc([np.inf] * 2, [np.inf]) == 0.5
    assert auroc([2.0, 3.0], [1.0, -np.inf]) == 1.0
    assert auroc([1.0], [2.0, np.inf]) == 0.0


@given(any_scores, any_scores, st.integers(2, 5))
def test_repeating_scores_changes_nothing(a: Array, b: Array, times: int) -> None:
    """The share of pairs is the same when each image comes several times, on one side or both."""
    assert auroc(np.repeat(a, times), b) == auroc(a, b)
    assert auroc(np.tile(a, times), np.repeat(b, times)) == auroc(a, b)


@given(any_scores, any_scores, any_scores)
def test_a_union_of_out_sets_gives_the_mean_weighted_by_size(a: Array, b: Array, c: Array) -> None:
    """AUROC is a mean over pairs, so it mixes like one."""
    mixed = (len(b) * auroc(a, b) + len(c) * auroc(a, c)) / (len(b) + len(c))
    assert auroc(a, np.concatenate([b, c])) == pytest.approx(mixed, abs=1e-15)


@given(any_scores, any_scores, st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(a: Array, b: Array, random: Random) -> None:
    """Shuffling a side changes nothing."""
    shuffled = a[random.sample(range(len(a)), len(a))]
    assert auroc(shuffled, b) == auroc(a, b)


@pytest.mark.parametrize("offset", [1e6, -1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_large_offset_costs_no_more_than_its_own_rounding(offset: float, dtype: Real) -> None:
    """Differences are never formed: the result is that of the pairs as they stand after the offset."""
    rng = np.random.default_rng(0)
    a = (rng.normal(1, 1, 150) + offset).astype(dtype)
    b = (rng.normal(0, 1, 130) + offset).astype(dtype)
    assert auroc(a, b) == pair_outcomes(a.astype(np.float64), b.astype(np.float64)).sum() / (len(a) * len(b))


def test_offsets_that_round_nothing_change_nothing() -> None:
    """Multiples of 1/8 survive an offset of a million in float32, and so does the AUROC."""
    rng = np.random.default_rng(1)
    a, b = (rng.integers(low, 40, 200).astype(np.float32) / 8 for low in (5, 0))
    assert (
        auroc(a + np.float32(1e6), b + np.float32(1e6))
        == auroc(a - np.float32(1e6), b - np.float32(1e6))
        == auroc(a, b)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_at_the_ends_of_the_number_range_keep_their_order(dtype: Real) -> None:
    """Neither overflow at the largest nor underflow at the smallest numbers, nor ties between neighbours."""
    kind = np.finfo(dtype)
    one = dtype(1)
    ascending = np.array(
        [-np.inf, kind.min, np.nextafter(kind.min, one), -kind.smallest_subnormal, 0, kind.smallest_subnormal,
         kind.tiny, one, np.nextafter(one, dtype(2)), np.nextafter(kind.max, one), kind.max, np.inf],
        dtype=dtype,
    )  # fmt: skip
    ranks = np.arange(len(ascending))
    for start in (0, 1):
        assert auroc(ascending[start::2], ascending[1 - start :: 2]) == auroc(ranks[start::2], ranks[1 - start :: 2])


def test_a_million_scores_a_side_stay_within_bounded_memory() -> None:
    """Memory grows with the number of scores, not of pairs: less than 80 bytes a score."""
    rng = np.random.default_rng(2)
    a, b = rng.permutation(1_000_000).astype(np.float32) + 1, rng.permutation(1_000_000).astype(np.float32)
    tracemalloc.start()
    area = auroc(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    n = 1_000_000
    assert area == (n * n + 2 * n - 1) / (2 * n * n)  # a_i = i + 1 beats i scores and ties with one, except the last
    assert peak < 80 * n
