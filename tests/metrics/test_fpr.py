"""FPR at a TPR, in both conventions."""

from fractions import Fraction
from math import ceil
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve as sklearn_roc_curve

from oodkit.errors import InvalidInput
from oodkit.metrics import fpr_at_tpr
from oodkit.metrics.scores import Side
from tests.metrics.samples import Array, any_scores, finite_scores, labelled, tied_scores

both_sides = pytest.mark.parametrize("positive", ["in", "out"])


def least_fpr(positives: list[float], negatives: list[float], per_cent: int) -> float:
    """The smallest FPR over all thresholds whose TPR is high enough, by loops and integers."""
    rates = [
        sum(x >= t for x in negatives) / len(negatives)
        for t in positives
        if 100 * sum(x >= t for x in positives) >= per_cent * len(positives)
    ]
    return min(rates)


@both_sides
def test_a_hundred_tied_pairs_give_95_of_100(positive: Side) -> None:
    """Scores 0..99 on both sides: accepting 95 positives accepts their 95 doubles, not all 100."""
    scores = np.arange(100.0)
    assert fpr_at_tpr(scores, scores, positive=positive) == 0.95


def test_dropping_collinear_points_would_lose_the_answer() -> None:
    """scikit-learn's shortened curve has no point of those tied pairs left but the ends: it would say 1."""
    scores = np.arange(100.0)
    fpr, tpr, _ = sklearn_roc_curve(*labelled(scores, scores))
    assert fpr[tpr >= 0.95][0] == 1.0


def test_the_conventions_differ_on_the_same_scores() -> None:
    """One in-image lies below all out-images: keeping it keeps all OOD, while flagging all OOD flags it alone."""
    a, b = [0.0, 4.0, 5.0, 6.0], [1.0, 2.0]
    assert fpr_at_tpr(a, b, positive="in") == 1.0
    assert fpr_at_tpr(a, b, positive="out") == 0.25


@given(any_scores, any_scores, st.integers(1, 100))
def test_equals_a_search_over_all_thresholds(a: Array, b: Array, per_cent: int) -> None:
    """Every level from 1 to 100 %, as the decimal that a user writes, compared in integers."""
    level = per_cent / 100
    assert fpr_at_tpr(a, b, level, positive="in") == least_fpr(a.tolist(), b.tolist(), per_cent)
    assert fpr_at_tpr(a, b, level, positive="out") == least_fpr((-b).tolist(), (-a).tolist(), per_cent)


@given(tied_scores | finite_scores, tied_scores | finite_scores)
def test_equals_the_first_point_of_scikit_learns_full_curve(a: Array, b: Array) -> None:
    """The first threshold with enough positives, no point dropped."""
    fpr, tpr, _ = sklearn_roc_curve(*labelled(a, b), drop_intermediate=False)
    assert fpr_at_tpr(a, b, positive="in") == pytest.approx(fpr[tpr >= 0.95 - 1e-9][0], abs=1e-12)


@given(st.integers(1, 400), st.randoms(use_true_random=False))
def test_the_threshold_is_the_positive_that_fills_the_share(n: int, random: Random) -> None:
    """With distinct scores it is the ceil(0.95 n)-th largest positive; negatives at or above it count."""
    positives = random.sample(range(1000), n)
    negatives = np.arange(1000)
    threshold = sorted(positives, reverse=True)[ceil(Fraction(95, 100) * n) - 1]
    assert fpr_at_tpr(positives, negatives, positive="in") == (1000 - threshold) / 1000


def test_levels_are_decimals_and_not_floats() -> None:
    """0.07 of 100 are 7 positives, although 0.07 * 100 is above 7 in floats; below n = 20, 95 % means all."""
    assert 0.07 * 100 > 7
    scores = np.arange(100.0)
    assert fpr_at_tpr(scores, scores, 0.07, positive="in") == 0.07
    assert fpr_at_tpr(np.arange(19.0), np.arange(19.0), positive="in") == 1.0
    assert fpr_at_tpr(np.arange(20.0), np.arange(20.0), np.float64(0.95), positive="in") == 0.95


@given(any_scores, any_scores)
def test_in_positive_mirrors_out_positive(a: Array, b: Array) -> None:
    """Swapping the sides and turning the signs changes which side is sought, and nothing else."""
    assert fpr_at_tpr(a, b, positive="in") == fpr_at_tpr(-b, -a, positive="out")


@both_sides
def test_separated_sides_give_0_and_constants_1(positive: Side) -> None:
    """The threshold of constant scores accepts all."""
    assert fpr_at_tpr([2.0, 3.0], [0.0, 1.0], positive=positive) == 0
    assert fpr_at_tpr([1.0, 1.0], [1.0, 1.0, 1.0], positive=positive) == 1


@given(any_scores, any_scores, st.floats(0.001, 1), st.floats(0.001, 1))
def test_it_never_falls_when_the_level_rises(a: Array, b: Array, one: float, other: float) -> None:
    """More positives accepted means a lower threshold."""
    low, high = sorted([one, other])
    assert fpr_at_tpr(a, b, low, positive="in") <= fpr_at_tpr(a, b, high, positive="in")


@given(tied_scores, tied_scores)
def test_strictly_increasing_maps_change_nothing(a: Array, b: Array) -> None:
    """Only the order counts, and the value is a whole number of negatives."""
    value = fpr_at_tpr(a, b, positive="in")
    assert fpr_at_tpr(np.arctan(a), np.arctan(b), positive="in") == value
    assert value in [k / len(b) for k in range(len(b) + 1)]


@pytest.mark.parametrize("tpr", [0.0, 95, 1.0001, -0.95, float("nan")])
def test_the_level_is_a_fraction(tpr: float) -> None:
    """95 is a percentage; 0 would accept nothing."""
    with pytest.raises(InvalidInput, match=r"tpr must be a fraction above 0 and at most 1, such as 0\.95, got"):
        fpr_at_tpr([1.0], [0.0], tpr, positive="in")


def test_the_convention_has_no_default() -> None:
    """It has to be said, by name, with one of two words."""
    with pytest.raises(TypeError, match="positive"):
        fpr_at_tpr([1.0], [0.0])  # type: ignore[call-arg]
    with pytest.raises(InvalidInput, match="positive must be 'in' or 'out', the side that counts as found, got 'ood'"):
        fpr_at_tpr([1.0], [0.0], positive="ood")  # type: ignore[arg-type]
