import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from oodkit.errors import InvalidInput
from oodkit.scorers import KNN, Kernel
from tests.scorers.banks import cosines, few, problems, scaled, turned

TEMPERATURES = st.sampled_from([1e-6, 0.003, 0.04, 0.3, 1.0, 20.0, 1e6])


def by_logsumexp(queries: np.ndarray, bank: np.ndarray, temperature: float) -> np.ndarray:
    return temperature * (logsumexp(cosines(queries, bank) / temperature, axis=1) - np.log(len(bank)))


def test_two_rows() -> None:
    """Cosines 1 and 0 at T = 1/2 give log((e^2 + 1) / 2) / 2."""
    bank = np.array([[1, 0], [0, 1]], dtype=np.float32)

    scores = Kernel(temperature=0.5).fit(bank).score_samples(np.array([[3, 0]], dtype=np.float32))

    np.testing.assert_allclose(scores, [np.log((np.exp(2) + 1) / 2) / 2], atol=1e-6)


@few
@given(problems(), TEMPERATURES)
def test_agrees_with_logsumexp_over_pairs(problem, temperature) -> None:
    """Every score is scipy's log-sum-exp of all cosines of a float64 loop, at low and high temperatures."""
    bank, queries, _ = problem

    scorer = Kernel(temperature).fit(bank)

    expected = by_logsumexp(queries, bank, temperature)
    np.testing.assert_allclose(scorer.score_samples(queries.astype(np.float32)), expected, atol=1e-6)


@few
@given(problems(), TEMPERATURES)
def test_lies_between_mean_and_largest_cosine(problem, temperature) -> None:
    """mean <= score <= max, and max - score <= T log N."""
    bank, queries, _ = problem
    found = cosines(queries, bank)

    scores = Kernel(temperature).fit(bank).score_samples(queries)

    assert (scores >= found.mean(axis=1) - 1e-6).all()
    assert (scores <= found.max(axis=1) + 1e-6).all()
    assert (found.max(axis=1) - scores <= temperature * np.log(len(bank)) + 1e-6).all()


@few
@given(problems())
def test_falls_with_temperature_from_the_nearest_row_to_the_mean_direction(problem) -> None:
    """Towards T = 0 it is the nearest neighbour's cosine, towards infinity the product with the mean of unit rows."""
    bank, queries, _ = problem
    scores = np.array([Kernel(t).fit(bank).score_samples(queries) for t in (1e-6, 0.02, 0.5, 1.0, 3.0, 1e6)])

    assert (np.diff(scores, axis=0) <= 1e-6).all()
    np.testing.assert_allclose(scores[0], KNN().fit(bank).score_samples(queries), atol=1e-5)
    np.testing.assert_allclose(scores[-1], cosines(queries, bank).mean(axis=1), atol=2e-6)


@few
@given(problems(), TEMPERATURES, st.integers(0, 10**6))
def test_length_rotation_and_repeated_rows_do_not_matter(problem, temperature, seed) -> None:
    """Scaling each row, rotating all, or giving each fit row twice leaves scores as they are."""
    bank, queries, _ = problem
    scores = Kernel(temperature).fit(bank).score_samples(queries)

    stretched = Kernel(temperature).fit(scaled(bank, seed)).score_samples(scaled(queries, seed + 1))
    rotated = Kernel(temperature).fit(turned(bank, seed)).score_samples(turned(queries, seed))
    doubled = Kernel(temperature).fit(np.repeat(bank, 2, axis=0)).score_samples(queries)

    for found in (stretched, rotated, doubled):
        np.testing.assert_allclose(found, scores, atol=2e-6)


@pytest.mark.parametrize("temperature", [1e-6, 0.04, 1.0, 1e6])
def test_equal_rows_score_their_cosine(temperature) -> None:
    """A bank of equal rows gives that cosine for every T; a zero row scores 0."""
    scorer = Kernel(temperature).fit(np.full((500, 4), 0.1))
    queries = np.array([[7.0] * 4, [0.0] * 4, [-1.0] * 4, [1.0, 0, 0, 0]])

    np.testing.assert_allclose(scorer.score_samples(queries), [1, 0, -1, 0.5], atol=1e-6)


def test_orders_as_the_mean_of_exponentials() -> None:
    """The mean of exp((cos - 0.1) / T) is exp((score - 0.1) / T)."""
    rng = np.random.default_rng(0)
    bank, queries = rng.standard_normal((80, 5)), rng.standard_normal((20, 5))

    scores = Kernel().fit(bank).score_samples(queries)

    means = np.exp((cosines(queries, bank) - 0.1) / 0.04).mean(axis=1)
    np.testing.assert_allclose(0.04 * np.log(means) + 0.1, scores, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.04, 5.0])
def test_gradient_is_the_weighted_mean_direction(temperature) -> None:
    """The gradient is that of the formula, by autograd over all pairs at once."""
    generator = torch.Generator().manual_seed(0)
    bank = torch.randn(70, 6, generator=generator, dtype=torch.float64)
    query = torch.randn(5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    scorer = Kernel(temperature).fit(bank)

    (found,) = torch.autograd.grad(scorer.score_tensor(query).sum(), query)

    pairs = torch.nn.functional.normalize(query) @ torch.nn.functional.normalize(bank).T
    (expected,) = torch.autograd.grad((temperature * (pairs / temperature).logsumexp(dim=1)).sum(), query)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_mapped_bank_stays_in_its_file(tmp_path, dtype) -> None:
    """A memory-mapped array is read where it lies, with the scores of an array in memory."""
    rng = np.random.default_rng(0)
    bank, queries = rng.standard_normal((300, 8)).astype(dtype), rng.standard_normal((9, 8))
    np.save(tmp_path / "bank.npy", bank)
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")

    scorer = Kernel().fit(mapped)

    expected = by_logsumexp(queries, bank.astype(np.float64), 0.04)
    np.testing.assert_allclose(scorer.score_samples(queries), expected, atol=1e-6)
    assert scorer.bank_.data_ptr() == mapped.ctypes.data


def test_a_temperature_out_of_range_is_an_error() -> None:
    """Zero, negative, NaN and infinite temperatures are refused with the range."""
    for temperature in (0, -1, np.nan, np.inf, 1e-9):
        with pytest.raises(InvalidInput, match="temperature must be from 1e-06 to 1e\\+06, got"):
            Kernel(temperature).fit(np.eye(3))
