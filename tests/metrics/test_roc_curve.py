"""The ROC curve."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import auc
from sklearn.metrics import roc_curve as sklearn_roc_curve

from oodkit.metrics import auroc, roc_curve
from tests.metrics.samples import Array, any_scores, finite_scores, labelled, tied_scores


def test_ties_between_the_sides_are_one_slanted_step() -> None:
    """Scores 2 | 1, 1 against 1: first one of three in-images, then everything at once."""
    fpr, tpr = roc_curve([2.0, 1.0, 1.0], [1.0])
    assert fpr.tolist() == [0, 0, 1]
    assert tpr.tolist() == [0, 1 / 3, 1]


@given(any_scores, any_scores)
def test_it_rises_from_0_to_1_and_its_area_is_the_auroc(a: Array, b: Array) -> None:
    """Trapezoids under the points give the share of ordered pairs."""
    fpr, tpr = roc_curve(a, b)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    assert auc(fpr, tpr) == pytest.approx(auroc(a, b), abs=1e-12)


@given(tied_scores | finite_scores, tied_scores | finite_scores)
def test_it_has_the_points_of_scikit_learn_before_it_drops_any(a: Array, b: Array) -> None:
    """All thresholds are kept."""
    expected = sklearn_roc_curve(*labelled(a, b), drop_intermediate=False)[:2]
    np.testing.assert_allclose(roc_curve(a, b), expected, rtol=0, atol=1e-12)
