import numpy as np
import pytest
from scipy.stats import weibull_min

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import OpenMax
from oodkit.scorers.weibull import SHIFT


def problem(seed: int = 0, width: int = 4, per_class: int = 100):
    """Logits of a classifier that is right in most rows, and further rows of all kinds."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(width), per_class)
    rows = 4 * np.eye(width)[labels] + rng.normal(0, 1.2, (len(labels), width))
    return rows, labels, rng.normal(0, 4, (30, width))


def by_loop(rows, labels, queries, tail: int, alpha: int) -> list[float]:
    """Row by row and class by class, with scipy's Weibull fit."""
    width = rows.shape[1]
    models = {}
    for label in range(width):
        members = [row for row, of in zip(rows, labels, strict=True) if of == label and np.argmax(row) == label]
        centre = np.mean(members, axis=0)
        far = sorted(np.linalg.norm(row - centre) for row in members)[-tail:]
        shape, _, scale = weibull_min.fit(np.array(far) - far[0] + SHIFT, floc=0)
        models[label] = centre, far[0], shape, scale
    scores = []
    for query in queries:
        revised, unknown = query.copy(), 0.0
        for rank, label in enumerate(np.argsort(-query)[:alpha]):
            centre, start, shape, scale = models[label]
            probability = weibull_min.cdf(np.linalg.norm(query - centre) - start + SHIFT, shape, 0, scale)
            weight = (alpha - rank) / alpha * probability
            revised[label] = query[label] * (1 - weight)
            unknown += query[label] * weight
        scores.append(float(np.log(np.exp(revised).sum()) - unknown))
    return scores


@pytest.mark.parametrize("alpha", [1, 2, 4])
def test_agrees_with_a_loop(alpha) -> None:
    """Scores are those of a loop over rows and classes with scipy's fit."""
    rows, labels, queries = problem(per_class=150)

    scores = OpenMax(tail=5, alpha=alpha).fit(rows, labels).score_samples(queries)

    np.testing.assert_allclose(scores, by_loop(rows, labels, queries, 5, alpha), atol=0.03, rtol=0.01)


def test_far_rows_are_unknown_and_centres_are_known() -> None:
    """At a centre nothing is revised: the score is log-sum-exp. Far away, the largest logit goes to "unknown"."""
    rows, labels, _ = problem()
    scorer = OpenMax(alpha=1).fit(rows, labels)
    centre = scorer.centres_[1].numpy()
    far = np.array([0.0, 500.0, 0.0, 0.0])

    scores = scorer.score_samples([centre, far])

    np.testing.assert_allclose(scores, [np.log(np.exp(centre).sum()), np.log(4) - 500], rtol=1e-2)


def test_more_classes_to_revise_than_there_are() -> None:
    """alpha beyond the number of classes means all of them."""
    rows, labels, queries = problem()

    scores = OpenMax(alpha=99).fit(rows, labels).score_samples(queries)

    np.testing.assert_array_equal(scores, OpenMax(alpha=4).fit(rows, labels).score_samples(queries))


def test_centres_are_means_of_the_rows_that_are_right() -> None:
    """Rows of a class that are predicted as another do not move its centre."""
    rows, labels, _ = problem()
    wrong = np.array([[0.0, 90.0, 0.0, 0.0]])

    centres = OpenMax().fit(np.vstack([rows, wrong]), [*labels, 0]).centres_

    np.testing.assert_array_equal(centres, OpenMax().fit(rows, labels).centres_)


def test_classes_permute() -> None:
    """Permuting columns and labels alike leaves scores as they are."""
    rows, labels, queries = problem()
    order = np.array([2, 0, 3, 1])

    permuted = OpenMax().fit(rows[:, order], np.argsort(order)[labels]).score_samples(queries[:, order])

    np.testing.assert_allclose(permuted, OpenMax().fit(rows, labels).score_samples(queries), rtol=1e-9)


def test_what_is_missing_is_noted() -> None:
    """Classes without rows, without right ones, with one row, and labels that are no column: a note each, no NaN."""
    rows, labels, queries = problem(width=5)
    keep = (labels < 2) | (np.arange(500) == 200)
    wrong = np.array([[0.0, 9.0, 0.0, 0.0, 0.0], [0.0, 8.0, 1.0, 0.0, 0.0]])
    fit_rows = np.vstack([rows[keep], wrong, queries[:1]])
    scorer = OpenMax(tail=30).fit(fit_rows, [*labels[keep], 3, 3, 17])

    assert scorer.notes_ == [
        f"1 of {len(fit_rows)} rows were left out: their label is no column of the logits, 0 to 4",
        "1 of 5 classes have no fit rows and are never revised",
        "1 of 5 classes have no row that is classified correctly; all their rows are used",
        "4 of 5 classes have fewer than 600 rows, so a tail of fewer than 30",
        "2 of 5 classes have fewer than 3 different distances to their mean; those of all classes are used",
    ]
    assert np.isfinite(scorer.score_samples(np.vstack([queries, 1e4 * queries, 0 * queries]))).all()


def test_one_class() -> None:
    """A single column is revised like any other, and scores stay finite at +-10,000."""
    scorer = OpenMax().fit(np.arange(20.0)[:, None], [0] * 20)

    assert np.isfinite(scorer.score_samples([[1e4], [-1e4], [0.0], [9.5]])).all()


def test_what_cannot_be_fitted_is_refused() -> None:
    """All rows equal, one row per class, bad parameters, and labels that are no column: a line each."""
    rows, labels, _ = problem()
    with pytest.raises(TooFewSamples, match="3 rows of a class at different distances"):
        OpenMax().fit(np.ones((9, 3)), [0] * 9)
    with pytest.raises(TooFewSamples, match="3 rows of a class at different distances"):
        OpenMax().fit(np.eye(3), [0, 1, 2])
    with pytest.raises(InvalidInput, match="labels must be columns of the logits"):
        OpenMax().fit(rows, labels + 9)
    with pytest.raises(InvalidInput, match="tail must be an integer of at least 3, got 2"):
        OpenMax(tail=2).fit(rows, labels)
    with pytest.raises(InvalidInput, match="alpha must be an integer of at least 1, got 0"):
        OpenMax(alpha=0).fit(rows, labels)
