import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import SHE
from tests.scorers.heads import headed, logits, with_heads

HEAD = (np.eye(2), np.zeros(2))


def test_product_with_the_mean_of_the_correct_rows() -> None:
    """Rows (4, 0) and (2, 2.5) of class 0: only the first is predicted right, so the pattern is (4, 0)."""
    rows, labels = np.array([[4.0, 0], [2, 2.5], [0, 2], [1, 4]]), [0, 0, 1, 1]

    scorers = {metric: SHE(metric).fit(rows, labels, head=HEAD) for metric in ("dot", "cosine", "euclidean")}

    queries = np.array([[4.0, 3], [1, 3.5]])
    found = {metric: scorer.score_samples(queries) for metric, scorer in scorers.items()}
    np.testing.assert_allclose(found["dot"], [16, 0.5 + 3 * 3.5])
    np.testing.assert_allclose(found["euclidean"], [-3, -np.hypot(0.5, 0.5)])
    np.testing.assert_allclose(found["cosine"], [0.8, 11 / np.hypot(1, 3.5) / np.hypot(0.5, 3)])


@given(with_heads(), st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Patterns are means of a loop over correctly predicted rows, or over all of a class where there is none."""
    rows, labels, head = data
    if len(np.unique(labels)) < len(head[0]):
        return
    predicted = logits(rows, head).argmax(axis=1)
    patterns = []
    for c in range(len(head[0])):
        right = [row for row, label, guess in zip(rows, labels, predicted, strict=True) if label == guess == c]
        patterns.append(np.mean(right or rows[labels == c], axis=0))
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scorer = SHE().fit(rows, labels, head=head)

    chosen = [patterns[c] for c in logits(queries, head).argmax(axis=1)]
    expected = [query @ pattern for query, pattern in zip(queries, chosen, strict=True)]
    np.testing.assert_allclose(scorer.score_samples(queries), expected, rtol=1e-6, atol=1e-9)


def test_linear_while_the_prediction_stays() -> None:
    """For two rows of the same predicted class the score of a sum is the sum of scores."""
    rows, labels, _ = headed(0, width=2, count=2)
    head = (np.array([[1.0, 0], [-1, 0]]), np.zeros(2))
    scorer = SHE().fit(rows, labels, head=head)

    a, b, both = scorer.score_samples(np.array([[1.0, 5], [2, -3], [3, 2]]))

    assert both == pytest.approx(a + b)


def test_one_hot_rows_under_an_identity_head() -> None:
    """All are predicted right and the pattern is the class mean, the unit vector: the score is the largest entry."""
    rows = np.eye(3)[[0, 1, 2, 2]]
    queries = np.array([[0.2, 0.7, 0.1], [5, 1, 1]])

    scores = SHE().fit(rows, [0, 1, 2, 2], head=(np.eye(3), np.zeros(3))).score_samples(queries)

    np.testing.assert_allclose(scores, [0.7, 5])


def test_a_class_never_predicted_keeps_its_mean() -> None:
    """Its pattern is the mean of all its rows, which a note says."""
    rows, labels = np.array([[4.0, 0], [3, 1], [5, 2]]), [0, 1, 1]

    scorer = SHE().fit(rows, labels, head=HEAD)

    np.testing.assert_allclose(scorer.patterns_, [[4, 0], [4, 1.5]])
    assert scorer.notes_ == [
        "1 of 2 classes have no correctly predicted fit sample: their pattern is the mean of all their samples"
    ]


def test_zero_row() -> None:
    """A zero row has product and cosine 0 with every pattern."""
    rows, labels, head = headed(0)
    for metric in ("dot", "cosine"):
        assert SHE(metric).fit(rows, labels, head=head).score_samples(np.zeros((1, 6))).tolist() == [0]


def test_labels_that_do_not_fit_the_head_are_an_error() -> None:
    """Labels index the head's rows, and each of them needs a sample."""
    rows, labels, head = headed(0)

    with pytest.raises(InvalidInput, match="labels must be classes of the head, 0 to 2, got 1 to 3"):
        SHE().fit(rows, labels + 1, head=head)
    with pytest.raises(InvalidInput, match="1 of the head's 3 classes have no fit samples, the first is class 1"):
        SHE().fit(rows[labels != 1], labels[labels != 1], head=head)
    with pytest.raises(InvalidInput, match="metric must be one of 'dot', 'cosine', 'euclidean', got 'l1'"):
        SHE("l1").fit(rows, labels, head=head)
