import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from oodkit.clustering.kmeans import kmeans
from oodkit.clustering.row_order import row_order
from oodkit.errors import InvalidInput, TooFewSamples


@pytest.fixture
def never_held(monkeypatch):
    """Rows of any number are clustered as those that are too many to be held: from a small sample, in small blocks."""
    monkeypatch.setitem(kmeans.__globals__, "WHOLE_BYTES", 0)
    monkeypatch.setattr("oodkit.clustering.row_sample.PER_CLUSTER", 30)
    monkeypatch.setattr("oodkit.clustering.row_sample.LEAST", 60)
    monkeypatch.setattr("oodkit.clustering.row_blocks.BLOCK_BYTES", 4000)


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
    for name in ("restarts", "iterations"):
        with pytest.raises(InvalidInput, match=f"{name} must be an integer of at least 1, got 0"):
            kmeans(rows, 2, **{name: 0})
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


def test_many_rows_are_clustered_without_being_held(never_held, tmp_path) -> None:
    """Groups in a float16 file are found by a sample and passes: centres are means, any order gives the same."""
    rng = np.random.default_rng(0)
    of = np.arange(3000) % 6
    rows = (20 * np.eye(6)[of] + rng.standard_normal((3000, 6))).astype(np.float16)
    shuffle = rng.permutation(3000)
    np.save(tmp_path / "rows.npy", rows[shuffle])

    found = kmeans(rows, 6, seed=3)
    shuffled = kmeans(np.load(tmp_path / "rows.npy", mmap_mode="r"), 6, seed=3)

    assert adjusted_rand_score(of, found.assignments) == 1
    means = [rows[found.assignments == cluster].mean(axis=0, dtype=np.float64) for cluster in range(6)]
    np.testing.assert_allclose(found.centres, means, atol=1e-6)
    assert np.array_equal(shuffled.assignments, found.assignments[shuffle])
    assert np.array_equal(shuffled.centres, found.centres)


@given(seed=st.integers(0, 10**6), spherical=st.booleans(), whole=st.booleans())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_many_rows_does_not_matter(never_held, seed, spherical, whole) -> None:
    """Also where rows repeat, tie between centres and have no clear clusters: the same bits; no cluster is empty."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, (400, 3)).astype(np.float32) if whole else rng.standard_normal((400, 3))
    shuffle = rng.permutation(400)

    found = kmeans(rows, 8, seed=seed, spherical=spherical)
    shuffled = kmeans(rows[shuffle], 8, seed=seed, spherical=spherical)

    assert len(np.unique(found.assignments)) == 8
    assert np.array_equal(shuffled.assignments, found.assignments[shuffle])
    assert np.array_equal(shuffled.centres, found.centres)


def test_many_rows_are_clustered_nearly_as_well_as_few(never_held, monkeypatch) -> None:
    """From a sample and passes, squared distances to the means are at most 2 % above those of the whole search."""
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((10, 8))[rng.integers(10, size=4000)] + rng.standard_normal((4000, 8))).astype("f4")

    def spread(found):
        return np.square(rows - found.centres[found.assignments]).sum()

    sampled = kmeans(rows, 10)
    monkeypatch.setitem(kmeans.__globals__, "WHOLE_BYTES", 2**30)

    assert spread(sampled) <= 1.02 * spread(kmeans(rows, 10))


def test_too_few_different_rows_among_many(never_held) -> None:
    """A million rows of two kinds make no three clusters; what is not finite is found in any block."""
    rows = np.repeat(np.eye(4, dtype=np.float32)[:2], 500, axis=0)

    assert len(np.unique(kmeans(rows, 2).assignments)) == 2
    with pytest.raises(TooFewSamples, match="clusters=3 needs as many different rows, found 2; lower clusters"):
        kmeans(rows, 3)
    rows[999, 3] = np.inf
    with pytest.raises(InvalidInput, match="features to cluster must be finite numbers of shape"):
        kmeans(rows, 2)


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("many", [False, True])
def test_faiss_finds_the_same_groups(request, spherical, many) -> None:
    """Well separated groups, in float64, held or not: each row at its nearest centre, whatever the order."""
    pytest.importorskip("faiss")
    if many:
        request.getfixturevalue("never_held")
    rng = np.random.default_rng(0)
    of = np.arange(200) % 4
    rows = 20 * np.eye(4, 6)[of] + rng.standard_normal((200, 6))
    found = kmeans(rows, 4, spherical=spherical, engine="faiss")
    shuffle = rng.permutation(200)
    again = kmeans(rows[shuffle], 4, spherical=spherical, engine="faiss")

    assert adjusted_rand_score(of, found.assignments) == 1
    assert np.array_equal(again.assignments, found.assignments[shuffle])
    seen = rows / np.linalg.norm(rows, axis=1, keepdims=True) if spherical else rows
    distances = np.square(seen[:, None] - found.centres).sum(axis=2)
    assert np.array_equal(distances.argmin(axis=1), found.assignments)


@pytest.mark.parametrize("size", [1e-30, 1e18, 1e30, 1e150])
def test_faiss_takes_rows_of_any_size_and_any_seed(size) -> None:
    """Sizes whose squares float32 cannot hold give the same clusters."""
    pytest.importorskip("faiss")
    rows = np.random.default_rng(0).standard_normal((60, 5)) + 9 * np.eye(5)[np.arange(60) % 3]
    found = kmeans(rows * size, 3, engine="faiss", seed=2**32 + 5)

    assert np.array_equal(found.assignments, kmeans(rows, 3, engine="faiss", seed=2**32 + 5).assignments)
    assert adjusted_rand_score(np.arange(60) % 3, found.assignments) == 1


def test_faiss_refuses_fewer_different_rows_than_clusters(capfd) -> None:
    """The same line as without it, and nothing of its own on stderr."""
    pytest.importorskip("faiss")
    with pytest.raises(TooFewSamples, match="clusters=3 needs as many different rows, found 2; lower clusters"):
        kmeans(np.repeat(np.eye(4)[:2], 5, axis=0), 3, engine="faiss")
    assert capfd.readouterr().err == ""


def test_an_engine_that_is_none() -> None:
    """One line with the engines."""
    with pytest.raises(InvalidInput, match="engine must be one of 'sklearn', 'faiss', got 'cuml'"):
        kmeans(np.eye(4), 2, engine="cuml")


def test_spherical_clusters_are_of_directions() -> None:
    """Lengths do not matter; centres have length 1, are their rows' mean directions, and rows are at the nearest."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 3)) * 10 ** rng.uniform(-3, 3, (200, 1))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    found = kmeans(rows, 5, spherical=True)

    sums = np.array([unit[found.assignments == cluster].sum(axis=0) for cluster in range(5)])
    np.testing.assert_allclose(found.centres, sums / np.linalg.norm(sums, axis=1, keepdims=True), atol=1e-9)
    assert np.array_equal((unit @ found.centres.T).argmax(axis=1), found.assignments)
    assert np.array_equal(kmeans(unit, 5, spherical=True).assignments, found.assignments)


@given(st.integers(0, 10**6))
def test_row_order_depends_on_values_alone(seed) -> None:
    """Any shuffle of rows with ties, signs and zeros is brought into one order."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, (20, 3)) * np.array([1.0, -1, 1])
    shuffled = rng.permutation(rows)

    assert np.array_equal(rows[row_order(rows)], shuffled[row_order(shuffled)])
