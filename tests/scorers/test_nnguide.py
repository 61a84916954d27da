import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import NNGuide
from tests.scorers.heads import energies, headed, with_heads


def guided(rows, queries, head, k):
    """By loops: the mean of the k largest energy-weighted cosines, times the energy; two negatives stay negative."""
    weights = np.maximum(energies(rows, head), 0)
    scores = []
    for query, energy in zip(queries, energies(queries, head), strict=True):
        cosines = [query @ row / np.linalg.norm(query) / np.linalg.norm(row) for row in rows]
        guidance = np.mean(sorted(weights * cosines)[-k:])
        scores.append(-energy * guidance if energy < 0 and guidance < 0 else energy * guidance)
    return scores


def test_energy_of_the_row_times_that_of_its_neighbour() -> None:
    """One class with l = x + y: bank energies 3 and 2 along the axes; (3, 4) has energy 7, cosines 0.6 and 0.8."""
    head = (np.ones((1, 2)), np.zeros(1))
    rows = np.array([[3.0, 0], [0, 2]])

    one, two = (NNGuide(k).fit(rows, head=head).score_samples(np.array([[3.0, 4]])) for k in (1, 2))

    np.testing.assert_allclose(one, 7 * 3 * 0.6)
    np.testing.assert_allclose(two, 7 * (3 * 0.6 + 2 * 0.8) / 2)


@given(with_heads(), st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Scores are those of loops over queries and fit rows, for any k."""
    rows, _, head = data
    if (energies(rows, head) <= 0).any():
        return
    k = 1 + seed % len(rows)
    queries = np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = NNGuide(k).fit(rows, head=head).score_samples(queries)

    np.testing.assert_allclose(scores, guided(rows, queries, head, k), rtol=1e-4, atol=1e-4)


@given(st.integers(0, 10**6))
def test_equal_energies_make_it_the_largest_cosine(seed) -> None:
    """With k = 1 and energy e for all of the bank the score is LSE(l) e max cos."""
    rng = np.random.default_rng(seed)
    rows, query = rng.standard_normal((20, 5)), rng.standard_normal((1, 5))
    head = (np.zeros((3, 5)), np.array([2.0, 0, 1]))
    energy = np.log(np.exp([2, 0, 1]).sum())

    score = NNGuide(1).fit(rows, head=head).score_samples(query)

    cosines = rows @ query[0] / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    assert score == pytest.approx(energy**2 * cosines.max(), rel=1e-5)


def test_low_energy_far_away_is_not_high() -> None:
    """Negative energy times negative guidance scores below 0, not above."""
    head = (np.array([[1.0, 0]]), np.zeros(1))

    scores = NNGuide(1).fit(np.array([[2.0, 0], [3, 0]]), head=head).score_samples(np.array([[-5.0, 0], [1, 0]]))

    np.testing.assert_allclose(scores, [-5 * 2, 1 * 3])


def test_fit_rows_without_positive_energy_guide_nothing() -> None:
    """Their energy counts as 0, which a note says; with fewer than k others the fit is refused."""
    rows, _, (weight, bias) = headed(0, n=30)
    lowered = (weight, bias - np.median(energies(rows, (weight, bias))))

    scorer = NNGuide(3).fit(rows, head=lowered)

    assert scorer.notes_ == ["15 of 30 fit samples have no positive energy and guide nothing"]
    np.testing.assert_allclose(scorer.score_samples(rows), guided(rows, rows, lowered, 3), rtol=1e-4, atol=1e-4)
    with pytest.raises(InvalidInput, match=r"not positive for 15 of 30 fit samples.*add a constant to the head's bias"):
        NNGuide(16).fit(rows, head=lowered)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_memory_mapped_bank_stays_in_its_file(tmp_path, dtype) -> None:
    """A mapped array is searched where it lies, with the scores of one in memory; so is half precision."""
    rows, _, head = headed(3, n=200)
    np.save(tmp_path / "bank.npy", rows.astype(dtype))
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")

    scorer = NNGuide().fit(mapped, head=head)

    expected = NNGuide().fit(rows.astype(dtype).astype(np.float64), head=head).score_samples(rows[:20])
    np.testing.assert_allclose(scorer.score_samples(rows[:20]), expected, rtol=1e-4)
    np.testing.assert_allclose(NNGuide().fit(np.array(mapped), head=head).score_samples(rows[:20]), expected, rtol=1e-4)
    assert scorer.bank_.data_ptr() == mapped.ctypes.data


def test_zero_row_scores_zero() -> None:
    """A zero row has cosine 0 with all; in the bank it guides nothing."""
    rows, _, head = headed(0)

    scores = NNGuide(1).fit(np.vstack([rows, 0 * rows[:1]]), head=head).score_samples(np.zeros((1, 6)))

    assert scores.tolist() == [0]


def test_k_out_of_range_is_an_error() -> None:
    """k > N says both numbers; k < 1 and fractions are refused."""
    head = (np.eye(3), np.ones(3))
    with pytest.raises(TooFewSamples, match="k=10 needs at least 10 fit samples, got 3"):
        NNGuide().fit(np.eye(3), head=head)
    for k in (0, -1, 1.5):
        with pytest.raises(InvalidInput, match="k must be an integer of at least 1"):
            NNGuide(k).fit(np.eye(3), head=head)
