"""Detection error at the best threshold."""

import numpy as np
import pytest
from hypothesis import given

from oodkit.metrics import detection_error, roc_curve
from tests.metrics.samples import Array, any_scores, tied_scores


def test_worked_example() -> None:
    """Accepting 3 and more misses nobody and accepts one OOD image of three; 4 and more misses one of four."""
    assert detection_error([3, 3, 4, 5], [1, 3, 2]) == (0 + 1 / 3) / 2
    assert detection_error([1, 4, 4, 5], [0, 3, 2]) == (1 / 4 + 0) / 2


@given(any_scores, any_scores)
def test_equals_a_search_over_all_thresholds(a: Array, b: Array) -> None:
    """Every score is tried, and accepting nothing too; the result lies in [0, 0.5]."""
    errors = [((a < t).mean() + (b >= t).mean()) / 2 for t in np.concatenate([a, b])]
    assert detection_error(a, b) == pytest.approx(min([*errors, 0.5]), abs=1e-15)
    assert 0 <= detection_error(a, b) <= 0.5


@given(any_scores, any_scores)
def test_it_is_half_of_one_minus_the_largest_gap_of_the_roc_curve(a: Array, b: Array) -> None:
    """The gap of true over false positive rate is Youden's index."""
    fpr, tpr = roc_curve(a, b)
    assert detection_error(a, b) == pytest.approx((1 - (tpr - fpr).max()) / 2, abs=1e-15)


@given(any_scores, any_scores)
def test_it_does_not_matter_which_side_is_sought(a: Array, b: Array) -> None:
    """Both error rates count alike."""
    assert detection_error(-b, -a) == detection_error(a, b)


@given(tied_scores, tied_scores)
def test_strictly_increasing_maps_change_nothing(a: Array, b: Array) -> None:
    """Only the order counts."""
    assert detection_error(np.exp(a), np.exp(b)) == detection_error(a, b)


def test_constant_scores_give_one_half_and_separated_ones_0() -> None:
    """Inverted scores give one half too: the direction is fixed."""
    assert detection_error([1.0, 1.0], [1.0]) == 0.5
    assert detection_error([2.0, 3.0], [1.0]) == 0
    assert detection_error([1.0], [2.0, 3.0]) == 0.5
