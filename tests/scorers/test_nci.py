import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import NCI
from tests.scorers.heads import headed, logits, with_heads


def test_projection_on_the_predicted_weight() -> None:
    """Mean (1, 1), W = 2 I: (4, 5) is (3, 4) from the mean and class 1: 2 * 4 / 5, plus alpha * 9."""
    rows = np.array([[0.0, 2], [2, 0]])
    head = (2 * np.eye(2), np.zeros(2))

    without, by_half = (NCI(alpha).fit(rows, head=head).score_samples(np.array([[4.0, 5]])) for alpha in (0, 0.5))

    np.testing.assert_allclose(without, 1.6)
    np.testing.assert_allclose(by_half, 1.6 + 4.5)


@given(with_heads(), st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Scores are those of a loop over rows."""
    rows, _, head = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = NCI(alpha=0.01).fit(rows, head=head).score_samples(queries)

    expected = []
    for query, row in zip(queries, logits(queries, head), strict=True):
        centred = query - rows.mean(axis=0)
        expected.append(head[0][row.argmax()] @ centred / np.sqrt(sum(centred**2)) + 0.01 * sum(abs(query)))
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-9)


@given(with_heads(), st.floats(1, 100))
def test_length_does_not_matter_while_the_prediction_stays(data, scale) -> None:
    """With alpha = 0 and g = 0, c z scores as z under b = 0, and no score exceeds the longest weight."""
    rows, _, (weight, _) = data
    scorer = NCI(alpha=0).fit(np.concatenate([rows, -rows]), head=(weight, np.zeros(len(weight))))

    scores = scorer.score_samples(rows)

    np.testing.assert_allclose(scorer.score_samples(scale * rows), scores, rtol=1e-6, atol=1e-9)
    assert scores.max() <= np.linalg.norm(weight, axis=1).max() + 1e-9


def test_the_mean_itself() -> None:
    """At z = g the first term is 0, which leaves the L1 length; a zero row has none either."""
    rows = np.array([[0.0, 2], [2, 0]])
    scorer = NCI(alpha=0.5).fit(rows, head=(np.eye(2), np.zeros(2)))

    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, 1], [0, 0]])), [1, -1 / np.sqrt(2)])


def test_alpha_out_of_range_is_an_error() -> None:
    """Negative and not finite."""
    rows, _, head = headed(0)
    for alpha in (-1, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="alpha must be a number of at least 0"):
            NCI(alpha).fit(rows, head=head)
