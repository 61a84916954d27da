"""Accuracy of the weighted vote of nearest neighbours."""

import numpy as np
import pytest

from oodkit.bench.knn_accuracy import knn_accuracy


def test_votes_that_can_be_counted_by_hand():
    """At a temperature of 1 two neighbours of class 0 outvote a nearer one of class 1; at 0.02 they do not."""
    angles = np.radians([20.0, 40.0, 41.0, 180.0])
    fit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    test = np.array([[3.0, 0.0]])
    labels = [1, 0, 0, 2]
    assert knn_accuracy(fit, labels, test, [0], neighbours=3, temperature=1.0) == 1
    # exp((cos 20° - cos 40°) / 0.02) is 1,600 votes against two.
    assert knn_accuracy(fit, labels, test, [1], neighbours=3, temperature=0.02) == 1
    assert knn_accuracy(fit, labels, test, [1], neighbours=1, temperature=1.0) == 1


def test_of_equal_votes_the_first_class_wins():
    """Also where the fit rows of the other class come first."""
    fit, test = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 1.0]])
    assert knn_accuracy(fit, [1, 0], test, [0]) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_loop_over_rows_says_the_same(dtype):
    """20 neighbours, weights exp(cos / 0.02), in float64; a class that no fit row has is never right."""
    draw = np.random.default_rng(0)
    labels, wanted = draw.integers(0, 5, 300), draw.integers(0, 6, 200)
    centres = draw.normal(size=(6, 16))
    fit = (centres[labels] + 1.5 * draw.normal(size=(300, 16))).astype(dtype)
    test = (centres[wanted] + 1.5 * draw.normal(size=(200, 16))).astype(dtype)
    right = 0
    for row, truth in zip(test.astype(np.float64), wanted, strict=True):
        bank = fit.astype(np.float64)
        cosines = bank @ row / np.linalg.norm(bank, axis=1) / np.linalg.norm(row)
        nearest = np.argsort(-cosines)[:20]
        votes = np.bincount(labels[nearest], weights=np.exp(cosines[nearest] / 0.02), minlength=6)
        right += votes.argmax() == truth
    found = knn_accuracy(fit, labels, test, wanted)
    assert 0.2 < found < 0.95
    assert found == right / 200


def test_fewer_fit_rows_than_neighbours_all_vote():
    """Three rows are enough."""
    assert knn_accuracy(np.eye(3), [0, 1, 2], np.eye(3), [0, 1, 1]) == pytest.approx(2 / 3)
