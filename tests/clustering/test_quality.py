"""Quality of clusters without labels."""

import numpy as np
import pytest

from oodkit.clustering import clustering_quality
from oodkit.errors import InvalidInput


def test_by_hand() -> None:
    """Two points at right angles, twice each: distance 0 within and root 2 between; 4 of 6 pairs differ."""
    rows = np.array([[1.0, 0], [3, 0], [0, 1], [0, 0.1]])

    quality = clustering_quality(rows, np.array([7, 7, 2, 2]))

    assert quality.silhouette == pytest.approx(1)
    assert quality.spread == pytest.approx(0, abs=1e-12)
    assert quality.uniformity == pytest.approx(np.log((2 + 4 * np.exp(-4)) / 6))


def test_groups_are_better_than_chance() -> None:
    """Clusters that are the groups have a higher silhouette and less spread than random ones of the same sizes."""
    rng = np.random.default_rng(0)
    of = np.arange(3000) % 5
    rows = 3 * np.eye(5)[of] + rng.standard_normal((3000, 5))

    groups, chance = clustering_quality(rows, of), clustering_quality(rows, rng.permutation(of))

    assert groups.silhouette > 0.4 > 0.05 > chance.silhouette
    assert groups.spread < 1 < chance.spread
    assert groups.uniformity == chance.uniformity
    assert clustering_quality(rows, of) == groups


def test_what_has_no_quality() -> None:
    """One cluster, a cluster for each row, one row, and rows that are all zero give no number; lengths must fit."""
    rows = np.random.default_rng(0).standard_normal((6, 3))

    assert clustering_quality(rows, np.zeros(6, int))[:2] == (None, None)
    assert clustering_quality(rows, np.arange(6)).silhouette is None
    assert clustering_quality(rows[:1], np.zeros(1, int)) == (None, None, None)
    assert clustering_quality(0 * rows, np.arange(6) % 2).spread is None
    for clusters in (np.zeros(5, int), np.zeros(0, int)):
        with pytest.raises(InvalidInput, match="6 rows need as many clusters, got"):
            clustering_quality(rows, clusters)
