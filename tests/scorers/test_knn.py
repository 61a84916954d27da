import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two vectors in float64, 0 if one is zero."""
    length = np.sqrt(sum(a**2)) * np.sqrt(sum(b**2))
    return sum(a * b) / length if length else 0.0


def mean_of_largest(bank: np.ndarray, query: np.ndarray, k: int) -> float:
    return float(np.mean(sorted((cosine(query, row) for row in bank), reverse=True)[:k]))


@st.composite
def problems(draw):
    """A bank and queries of few distinct values, so with ties, duplicates and zero rows."""
    width, n, m = draw(st.integers(1, 12)), draw(st.integers(1, 60)), draw(st.integers(1, 10))
    entries = st.integers(-3, 3).map(float)
    bank, queries = (
        draw(arrays(np.float64, (n, width), elements=entries)),
        draw(arrays(np.float64, (m, width), elements=entries)),
    )
    return bank, queries, draw(st.integers(1, n))


def test_score_is_the_mean_of_the_two_largest_cosines() -> None:
    """With k=2 the score is the mean of the two largest cosines; length does not matter."""
    bank = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    query = np.array([[3, 0], [2, 2]], dtype=np.float32)

    scores = KNN(k=2).fit(bank).score_samples(query)

    np.testing.assert_allclose(scores, [0.5, np.sqrt(0.5)], atol=1e-6)


@given(problems())
def test_agrees_with_a_loop_over_pairs(problem) -> None:
    """Every score is that of a float64 loop over all pairs, for any k, ties and zero rows included."""
    bank, queries, k = problem

    scores = KNN(k).fit(bank).score_samples(queries)

    np.testing.assert_allclose(scores, [mean_of_largest(bank, q, k) for q in queries], atol=3e-7)


@given(problems())
def test_one_neighbour_is_the_largest_cosine_and_the_smallest_distance(problem) -> None:
    """For k=1 the squared distance of unit rows is 2 - 2 score."""
    bank, queries, _ = problem
    scores = KNN().fit(bank).score_samples(queries)

    for query, score in zip(queries, scores, strict=True):
        if query.any() and bank.any(axis=1).all():
            unit, rows = query / np.linalg.norm(query), bank / np.linalg.norm(bank, axis=1, keepdims=True)
            smallest = min(np.sum((unit - rows) ** 2, axis=1))
            assert abs(smallest - (2 - 2 * score)) < 1e-6


@given(problems())
def test_falls_with_k_to_the_product_with_the_mean_direction(problem) -> None:
    """The score never rises with k, and with k=N it is the product with the mean of the unit rows."""
    bank, queries, _ = problem
    ks = sorted({1, 2, 3, (len(bank) + 1) // 2, len(bank)} & set(range(len(bank) + 1)))
    scores = np.array([KNN(k).fit(bank).score_samples(queries) for k in ks])

    assert (np.diff(scores, axis=0) <= 1e-6).all()
    directions = [row / np.linalg.norm(row) if row.any() else row for row in bank]
    expected = [q @ np.mean(directions, axis=0) / (np.linalg.norm(q) or 1) for q in queries]
    np.testing.assert_allclose(scores[-1], expected, atol=1e-6)


@given(problems(), st.integers(0, 2**32 - 1))
def test_length_and_rotation_do_not_matter(problem, seed) -> None:
    """Scaling each row by its own positive number, or rotating all, leaves scores as they are."""
    bank, queries, k = problem
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((bank.shape[1], bank.shape[1])))
    scores = KNN(k).fit(bank).score_samples(queries)

    def scaled(rows: np.ndarray) -> np.ndarray:
        return rows * np.exp(rng.uniform(-9, 9, (len(rows), 1)))

    np.testing.assert_allclose(KNN(k).fit(scaled(bank)).score_samples(scaled(queries)), scores, atol=1e-6)
    np.testing.assert_allclose(KNN(k).fit(bank @ turn).score_samples(queries @ turn), scores, atol=1e-6)


@given(problems())
def test_more_fit_rows_never_lower_a_score(problem) -> None:
    """The bank is monotone: a further row can only bring a nearer neighbour."""
    bank, queries, _ = problem

    fewer, more = KNN().fit(bank[: (len(bank) + 1) // 2]), KNN().fit(bank)

    assert (more.score_samples(queries) >= fewer.score_samples(queries) - 1e-6).all()


@given(problems())
def test_a_query_of_the_bank_has_score_one(problem) -> None:
    """A row of the bank scores 1, the most there is; a zero row scores 0."""
    bank, _, _ = problem

    scores = KNN().fit(bank).score_samples(bank)

    np.testing.assert_allclose(scores, bank.any(axis=1).astype(float), atol=1e-6)
    assert scores.max() <= 1


@given(problems())
def test_each_row_twice_is_twice_the_neighbours(problem) -> None:
    """With every fit row doubled, 2k neighbours score what k did."""
    bank, queries, k = problem

    doubled = KNN(2 * k).fit(np.repeat(bank, 2, axis=0))

    np.testing.assert_allclose(doubled.score_samples(queries), KNN(k).fit(bank).score_samples(queries), atol=1e-6)


def test_more_neighbours_than_rows_is_an_error() -> None:
    """k > N says both numbers; k < 1 and fractions are refused as well."""
    with pytest.raises(TooFewSamples, match="k=5 needs at least 5 fit samples, got 3"):
        KNN(k=5).fit(np.eye(3))
    for k in (0, -1, 1.5):
        with pytest.raises(InvalidInput, match="k must be an integer of at least 1"):
            KNN(k=k).fit(np.eye(3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, ">f4"])
def test_a_memory_mapped_bank_stays_in_its_file(tmp_path, dtype) -> None:
    """A mapped array, or a slice of one, is searched where it lies, with the scores of an array in memory."""
    rng = np.random.default_rng(0)
    bank, queries = rng.integers(0, 9, (500, 8)), rng.standard_normal((20, 8)).astype(np.float32)
    np.save(tmp_path / "bank.npy", bank.astype(dtype))
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")[100:]

    scorer = KNN(k=3).fit(mapped)

    expected = KNN(k=3).fit(bank[100:].astype(np.float32)).score_samples(queries)
    np.testing.assert_allclose(scorer.score_samples(queries), expected, atol=1e-6)
    if dtype != ">f4":
        assert scorer.bank_.data_ptr() == mapped.ctypes.data


def test_half_precision_features_take_half_the_memory() -> None:
    """float16 features stay float16, as a copy; everything else becomes float32 rows of length 1."""
    features = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float16)

    assert KNN().fit(features).bank_.dtype == torch.float16
    assert KNN().fit(features.astype(np.float64)).bank_.dtype == torch.float32


def test_gradient_points_to_the_nearest_row() -> None:
    """A step along the gradient of score_tensor raises the score; a row of the bank is a maximum."""
    bank = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
    scorer = KNN().fit(bank)
    query = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)

    scores = scorer.score_tensor(query)
    (slope,) = torch.autograd.grad(scores.sum(), query)

    assert (scorer.score_tensor(query + 0.01 * slope) > scores).all()
    at_bank = torch.from_numpy(bank).requires_grad_(True)
    (flat,) = torch.autograd.grad(scorer.score_tensor(at_bank).sum(), at_bank)
    assert flat.abs().max() < 1e-5
