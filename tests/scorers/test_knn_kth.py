import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN, KNNKth
from tests.scorers.banks import cosines, few, problems, scaled, turned


def test_score_is_the_second_largest_cosine() -> None:
    """With k=2 the score is the cosine to the second nearest row; length does not matter."""
    bank = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    query = np.array([[3, 0], [1, 2]], dtype=np.float32)

    scores = KNNKth(k=2).fit(bank).score_samples(query)

    np.testing.assert_allclose(scores, [0, 1 / np.sqrt(5)], atol=1e-6)


@few
@given(problems())
def test_agrees_with_a_loop_over_pairs(problem) -> None:
    """Every score is that of a float64 loop over all pairs, sorted, for any k, ties and zero rows included."""
    bank, queries, k = problem

    scores = KNNKth(k).fit(bank).score_samples(queries)

    np.testing.assert_allclose(scores, np.sort(cosines(queries, bank), axis=1)[:, -k], atol=3e-7)


@pytest.mark.parametrize("k", [1, 7, 50])
def test_orders_as_the_distance_of_unit_rows(k) -> None:
    """scikit-learn's distance d to the k-th neighbour of rows of length 1 is in d^2 = 2 - 2 score."""
    rng = np.random.default_rng(0)
    bank, queries = rng.standard_normal((200, 8)), rng.standard_normal((40, 8))
    units, unit_queries = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (bank, queries))
    distances, _ = NearestNeighbors(n_neighbors=k).fit(units).kneighbors(unit_queries)

    scores = KNNKth(k).fit(bank).score_samples(queries)

    np.testing.assert_allclose(distances[:, -1] ** 2, 2 - 2 * scores, atol=1e-6)


@few
@given(problems())
def test_falls_with_k_from_the_nearest_to_the_farthest_row(problem) -> None:
    """k=1 is `KNN` with one neighbour, a larger k never scores higher, and k=N is the smallest cosine."""
    bank, queries, _ = problem
    ks = sorted({1, 2, (len(bank) + 1) // 2, len(bank)} & set(range(len(bank) + 1)))
    scores = np.array([KNNKth(k).fit(bank).score_samples(queries) for k in ks])

    assert np.array_equal(scores[0], KNN(1).fit(bank).score_samples(queries))
    assert (np.diff(scores, axis=0) <= 1e-6).all()
    np.testing.assert_allclose(scores[-1], cosines(queries, bank).min(axis=1), atol=1e-6)


@few
@given(problems(), st.integers(0, 10**6))
def test_length_and_rotation_do_not_matter(problem, seed) -> None:
    """Scaling each row by its own positive number, or rotating all, leaves scores as they are."""
    bank, queries, k = problem
    scores = KNNKth(k).fit(bank).score_samples(queries)

    stretched = KNNKth(k).fit(scaled(bank, seed)).score_samples(scaled(queries, seed + 1))
    rotated = KNNKth(k).fit(turned(bank, seed)).score_samples(turned(queries, seed))

    np.testing.assert_allclose(stretched, scores, atol=1e-6)
    np.testing.assert_allclose(rotated, scores, atol=1e-6)


@few
@given(problems())
def test_more_fit_rows_never_lower_a_score(problem) -> None:
    """The bank is monotone: a further row can only raise the k-th similarity."""
    bank, queries, k = problem

    more = KNNKth(k).fit(np.vstack([bank, bank[::-1] + 1])).score_samples(queries)

    assert (more >= KNNKth(k).fit(bank).score_samples(queries) - 1e-6).all()


@few
@given(problems())
def test_each_row_twice_is_twice_the_neighbours(problem) -> None:
    """With every fit row doubled, neighbour 2k is what neighbour k was."""
    bank, queries, k = problem

    doubled = KNNKth(2 * k).fit(np.repeat(bank, 2, axis=0))

    np.testing.assert_allclose(doubled.score_samples(queries), KNNKth(k).fit(bank).score_samples(queries), atol=1e-6)


def test_equal_rows_and_rows_of_the_bank() -> None:
    """A row that is there k times scores 1, the most there is; a zero row scores 0."""
    scorer = KNNKth(3).fit(np.full((5, 4), 0.1))

    np.testing.assert_allclose(
        scorer.score_samples(np.array([[7.0] * 4, [0.0] * 4, [-1.0] * 4])), [1, 0, -1], atol=1e-6
    )


def test_a_mapped_bank_stays_in_its_file(tmp_path) -> None:
    """A memory-mapped array is searched where it lies, with the scores of an array in memory."""
    rng = np.random.default_rng(0)
    bank, queries = rng.standard_normal((300, 8)).astype(np.float32), rng.standard_normal((9, 8))
    np.save(tmp_path / "bank.npy", bank)
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")

    scorer = KNNKth().fit(mapped)

    np.testing.assert_allclose(scorer.score_samples(queries), KNNKth().fit(bank).score_samples(queries), atol=1e-6)
    assert scorer.bank_.data_ptr() == mapped.ctypes.data


def test_more_neighbours_than_rows_is_an_error() -> None:
    """k > N says both numbers; k < 1 and fractions are refused as well."""
    with pytest.raises(TooFewSamples, match=r"k=10 needs at least 10 fit samples, got 3 sample\(s\); lower k"):
        KNNKth().fit(np.eye(3))
    for k in (0, -1, 1.5):
        with pytest.raises(InvalidInput, match="k must be an integer of at least 1"):
            KNNKth(k=k).fit(np.eye(3))
