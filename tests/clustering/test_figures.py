import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.clustering.figures import clustering_figures, matched_accuracy
from oodkit.errors import InvalidInput


def test_perfect_clusters_under_other_names() -> None:
    """Clusters that are the classes give 1 for every figure."""
    assert clustering_figures([7, 7, 3, 3, 9], [0, 0, 1, 1, 2]) == pytest.approx((1, 1, 1, 1))


def test_one_wrong_of_four() -> None:
    """Clusters (0, 0, 1, 1) of classes (a, a, b, a): three are right."""
    assert matched_accuracy([0, 0, 1, 1], [5, 5, 6, 5]) == 0.75


def test_a_class_is_matched_once() -> None:
    """Two clusters of one class, and the other class within them: the second cluster takes the other class."""
    assert matched_accuracy([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1]) == pytest.approx(4 / 6)


def test_clusters_left_over_take_their_most_frequent_class() -> None:
    """Three pure clusters of two classes are all right; two clusters of three classes leave one class wrong."""
    assert matched_accuracy([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1]) == 1
    assert matched_accuracy([0, 0, 1, 1, 1], [0, 0, 1, 1, 2]) == 0.8


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_no_other_matching_is_better(seed, clusters, classes) -> None:
    """All one-to-one matchings are tried; names of clusters and classes do not matter to any figure."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(clusters, size=20), rng.integers(classes, size=20)
    found, wanted = (np.unique(names, return_inverse=True)[1] for names in drawn)  # without those that nobody has
    clusters, classes = int(found.max()) + 1, int(wanted.max()) + 1
    counts = np.zeros((clusters, classes))
    np.add.at(counts, (found, wanted), 1)
    if clusters <= classes:
        best = max(counts[range(clusters), order].sum() for order in itertools.permutations(range(classes), clusters))
    else:
        orders = [list(order) for order in itertools.permutations(range(clusters), classes)]
        most = max(counts[order, range(classes)].sum() for order in orders)
        # several matchings may be best; those left over then take their most frequent class
        best = [
            most + sum(counts[c].max() for c in range(clusters) if c not in order)
            for order in orders
            if counts[order, range(classes)].sum() == most
        ]
    accuracy = matched_accuracy(found, wanted)

    assert any(accuracy == pytest.approx(value / 20) for value in np.atleast_1d(best))
    renamed = clustering_figures(rng.permutation(9)[found], rng.permutation(9)[wanted])
    assert renamed[1:] == pytest.approx(clustering_figures(found, wanted)[1:])


def test_what_cannot_be_compared() -> None:
    """Different lengths, none at all, or more than one axis are one line."""
    for clusters, classes in (([0, 1], [0]), ([], []), ([[0]], [[0]])):
        with pytest.raises(InvalidInput, match=r"clusters and classes must have the same shape \(N,\)"):
            clustering_figures(clusters, classes)
