"""Area under the precision-recall curve, for either side."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import auc, average_precision_score, precision_recall_curve

from oodkit.errors import InvalidInput
from oodkit.metrics import aupr
from tests.metrics.samples import Array, any_scores, finite_scores, labelled, tied_scores

Method = Literal["average_precision", "trapezoid"]
METHODS: tuple[Method, ...] = ("average_precision", "trapezoid")


def test_worked_example() -> None:
    """From the top, in finds 5, 4 alone, then 3, 3 with one OOD image: (1 + 1 + 2 * 4/5) / 4."""
    a, b = [3, 3, 4, 5], [1, 3, 2]
    assert aupr(a, b, positive="in") == pytest.approx((1 + 1 + 2 * 4 / 5) / 4, abs=1e-15)
    # From the bottom, out finds 1, 2 alone, then 3 with two in-images.
    assert aupr(a, b, positive="out") == pytest.approx((1 + 1 + 3 / 5) / 3, abs=1e-15)


@given(tied_scores | finite_scores, tied_scores | finite_scores)
def test_average_precision_equals_scikit_learn(a: Array, b: Array) -> None:
    """For OOD positive the sides swap and the signs turn."""
    assert aupr(a, b, positive="in") == pytest.approx(average_precision_score(*labelled(a, b)), abs=1e-12)
    assert aupr(a, b, positive="out") == pytest.approx(average_precision_score(*labelled(-b, -a)), abs=1e-12)


@given(tied_scores | finite_scores, tied_scores | finite_scores)
def test_trapezoid_equals_scikit_learn(a: Array, b: Array) -> None:
    """Trapezoids under its precision-recall points, which end in precision 1 at recall 0."""
    precision, recall, _ = precision_recall_curve(*labelled(a, b))
    assert aupr(a, b, positive="in", method="trapezoid") == pytest.approx(auc(recall, precision), abs=1e-12)


@pytest.mark.parametrize(("method", "expected"), [("average_precision", 0.10), ("trapezoid", 0.55)])
def test_constant_scores_show_how_the_methods_differ(method: Method, expected: float) -> None:
    """With 10 % positives average precision is their share; the trapezoid flatters to 0.55."""
    assert aupr(np.zeros(10), np.zeros(90), positive="in", method=method) == pytest.approx(expected, abs=1e-15)
    assert aupr(np.zeros(90), np.zeros(10), positive="out", method=method) == pytest.approx(expected, abs=1e-15)


@given(any_scores, any_scores)
def test_in_positive_mirrors_out_positive(a: Array, b: Array) -> None:
    """Swapping the sides and turning the signs changes which side is sought, and nothing else."""
    for method in METHODS:
        assert aupr(a, b, positive="in", method=method) == aupr(-b, -a, positive="out", method=method)


@given(any_scores, any_scores)
def test_average_precision_is_1_just_when_the_sides_are_separated(a: Array, b: Array) -> None:
    """Any out-image at or above an in-image costs precision; it is never above 1 nor 0."""
    value = aupr(a, b, positive="in")
    assert 0 < value <= 1
    assert (value == 1) == bool(a.min() > b.max())


@given(tied_scores, tied_scores)
def test_strictly_increasing_maps_change_nothing(a: Array, b: Array) -> None:
    """Only the order counts."""
    assert aupr(np.exp(a), np.exp(b), positive="out") == aupr(a, b, positive="out")


def test_the_side_to_find_has_no_default() -> None:
    """It has to be said, by name, with one of two words."""
    with pytest.raises(TypeError, match="positive"):
        aupr([1.0], [0.0])  # type: ignore[call-arg]
    with pytest.raises(InvalidInput, match="positive must be 'in' or 'out', the side that counts as found, got 'id'"):
        aupr([1.0], [0.0], positive="id")  # type: ignore[arg-type]


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    """The message lists them."""
    with pytest.raises(InvalidInput, match="method must be 'average_precision' or 'trapezoid', got 'auc'"):
        aupr([1.0], [0.0], positive="in", method="auc")  # type: ignore[arg-type]
