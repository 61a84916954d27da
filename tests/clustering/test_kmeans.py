import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from oodkit.clustering.kmeans import kmeans, row_order
from oodkit.errors import InvalidInput, TooFewSamples


def test_two_pairs_of_points() -> None:
    """Points 0, 1, 10 and 11 make two clusters with centres 0.5 and 10.5."""
    found = kmeans(np.array([[10.0], [0.0], [11.0], [1.0]]), 2)

    assert found.assignments[0] == found.assignments[2] != found.assignments[1] == found.assignments[3]
    np.testing.assert_allclose(np.sort(found.centres, axis=0), [[0.5], [10.5]])


@given(st.integers(0, 10**6), st.integers(2, 6), st.sampled_from([np.float32, np.float64]))
def test_centres_are_means_and_rows_are_at_their_nearest(seed, clusters, dtype) -> None:
    """A fixed point: centres are the means of their rows, no cluster is empty, no row is nearer to another centre."""
    rows = np.random.default_rng(seed).standard_normal((50, 3)).astype(dtype)

    assignments, centres = kmeans(rows, clusters, seed=seed, restarts=2)

    means = [rows[assignments == cluster].mean(axis=0) for cluster in range(clusters)]
    np.testing.assert_allclose(centres, means, atol=1e-5)
    distances = np.linalg.norm(rows[:, None] - centres, axis=2)
    assert (distances[np.arange(50), assignments] <= distances.min(axis=1) + 1e-5).all()


@given(st.integers(0, 10**6))
def test_order_of_the_rows_does_not_matter(seed) -> None:
    """Shuffled rows are partitioned and numbered alike, even where there are no clear clusters."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((40, 3))
    shuffle = rng.permutation(40)

    found = kmeans(rows, 5, restarts=1)
    shuffled = kmeans(rows[shuffle], 5, restarts=1)

    assert np.array_equal(shuffled.assignments, found.assignments[shuffle])


def test_separate_groups_are_found() -> None:
    """Well separated groups are the clusters, under any seed; a run repeats."""
    rng = np.random.default_rng(0)
    of = np.arange(120) % 6
    rows = 20 * np.eye(6)[of] + rng.standard_normal((120, 6))

    for seed in range(5):
        found = kmeans(rows, 6, seed=seed)
        assert adjusted_rand_score(of, found.assignments) == 1
        assert np.array_equal(found.assignments, kmeans(rows, 6, seed=seed).assignments)


def test_as_many_clusters_as_rows() -> None:
    """Each row is a cluster of its own."""
    rows = np.random.default_rng(0).standard_normal((7, 2))

    assignments, centres = kmeans(rows, 7)

    np.testing.assert_allclose(centres[assignments], rows)


def test_what_cannot_be_clustered() -> None:
    """Fewer than 2 clusters, more than rows or than different rows, and what is not finite are one line each."""
    rows = np.eye(4)
    for clusters in (1, 0, -3, 2.5):
        with pytest.raises(InvalidInput, match=r"clusters must be an integer of at least 2, got"):
            kmeans(rows, clusters)
    with pytest.raises(TooFewSamples, match=r"clusters=5 needs at least 5 fit samples, got 4 sample\(s\)"):
        kmeans(rows, 5)
    with pytest.raises(TooFewSamples, match="clusters=3 needs as many different rows, found 2; lower clusters"):
        kmeans(np.repeat(rows[:2], 5, axis=0), 3)
    for bad in (rows[0], rows[:0], np.where(rows, np.nan, 0)):
        with pytest.raises(InvalidInput, match="features to cluster must be finite numbers of shape"):
            kmeans(bad, 2)


@given(st.integers(0, 10**6))
def test_row_order_depends_on_values_alone(seed) -> None:
    """Any shuffle of rows with ties, signs and zeros is brought into one order."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, (20, 3)) * np.array([1.0, -1, 1])
    shuffled = rng.permutation(rows)

    assert np.array_equal(rows[row_order(rows)], shuffled[row_order(shuffled)])
