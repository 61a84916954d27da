import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import FDBD
from tests.scorers.heads import headed, logits, with_heads


def test_two_classes_give_the_distance_to_the_hyperplane() -> None:
    """The boundary of W = I is the diagonal, at distance |x - y| / sqrt 2; over the distance to the mean (0, 0)."""
    rows = np.array([[1.0, 2], [-1, -2]])

    scores = FDBD().fit(rows, head=(np.eye(2), np.zeros(2))).score_samples(np.array([[3.0, -4], [5, 5], [0, 2]]))

    np.testing.assert_allclose(scores, [7 / np.sqrt(2) / 5, 0, 1 / np.sqrt(2)], atol=1e-9)


@given(with_heads(least=2), st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Scores are the mean over the other classes of a loop, over the distance to the mean."""
    rows, _, (weight, bias) = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = FDBD().fit(rows, head=(weight, bias)).score_samples(queries)

    expected = []
    for query, row in zip(queries, logits(queries, (weight, bias)), strict=True):
        j = int(np.argmax(row))
        distances = [(row[j] - row[c]) / np.linalg.norm(weight[j] - weight[c]) for c in range(len(weight)) if c != j]
        expected.append(np.mean(distances) / np.linalg.norm(query - rows.mean(axis=0)))
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


@given(with_heads(least=2), st.floats(0.01, 100))
def test_scale_does_not_matter_without_bias_and_mean(data, scale) -> None:
    """With b = 0 and mean 0 the score of c z is that of z, for c > 0."""
    rows, _, (weight, _) = data
    scorer = FDBD().fit(np.concatenate([rows, -rows]), head=(weight, np.zeros(len(weight))))

    np.testing.assert_allclose(scorer.score_samples(scale * rows), scorer.score_samples(rows), rtol=1e-6)


def test_equal_classes_have_no_boundary() -> None:
    """A class with the weights of the predicted one is left out of the mean, which a note says."""
    rows, _, (weight, bias) = headed(0)
    twice = (np.vstack([weight, weight[1:2]]), np.append(bias, bias[1] - 1))

    scorer = FDBD().fit(rows, head=twice)

    won = logits(rows, (weight, bias)).argmax(axis=1) == 1
    expected = FDBD().fit(rows, head=(weight, bias)).score_samples(rows)
    np.testing.assert_allclose(scorer.score_samples(rows)[won], expected[won], rtol=1e-9)
    assert scorer.notes_ == ["2 of 4 classes share their weights with another: no boundary there"]


def test_the_mean_itself_has_a_finite_score() -> None:
    """At z = g the distance counts as 1e-8."""
    rows = np.array([[2.0, 0], [4, 0]])

    score = FDBD().fit(rows, head=(np.eye(2), np.zeros(2))).score_samples(np.array([[3.0, 0]]))

    np.testing.assert_allclose(score, 3 / np.sqrt(2) / 1e-8)


def test_no_boundary_at_all_is_an_error() -> None:
    """One class, or classes with equal weights, are refused."""
    with pytest.raises(InvalidInput, match="at least 2 classes"):
        FDBD().fit(np.eye(3), head=(np.ones((1, 3)), np.zeros(1)))
    with pytest.raises(InvalidInput, match="all 4 rows of the head's weight are equal"):
        FDBD().fit(np.eye(3), head=(np.full((4, 3), 0.1), np.arange(4.0)))
