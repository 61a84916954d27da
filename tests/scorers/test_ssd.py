import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf
from sklearn.preprocessing import StandardScaler, normalize

from oodkit.clustering.kmeans import kmeans
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import SSD, Mahalanobis
from oodkit.testing import check_scorer
from tests.scorers.problems import classes, labelled

wide = labelled().filter(lambda data: data[0].shape[1] > 1)  # in one dimension directions are only +1 and -1


def test_four_directions() -> None:
    """Unit rows on a cross have variance 1/2 in each direction: any row scores -2, whatever its length."""
    rows = np.array([[2.0, 0], [-3, 0], [0, 1], [0, -5]])

    scores = SSD().fit(rows).score_samples(np.array([[7.0, 0], [1, 1], [0, 0]]))

    np.testing.assert_allclose(scores, [-2, -2, 0], atol=1e-12)


@given(wide, st.integers(0, 10**6))
def test_agrees_with_scikit_learn_step_by_step(data, seed) -> None:
    """Normalise, standardise, squared distance to the mean: each step by scikit-learn."""
    rows, _ = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))
    scaler = StandardScaler().fit(normalize(rows))
    gaussian = EmpiricalCovariance().fit(scaler.transform(normalize(rows)))

    scores = SSD().fit(rows).score_samples(queries)

    np.testing.assert_allclose(scores, -gaussian.mahalanobis(scaler.transform(normalize(queries))), rtol=1e-6)


@given(wide)
def test_one_cluster_is_mahalanobis_of_directions(data) -> None:
    """Standardising changes no Mahalanobis distance: one cluster scores as `Mahalanobis(normalize=True)`."""
    rows, _ = data

    scores = SSD().fit(rows).score_samples(3 * rows)

    expected = Mahalanobis(normalize=True).fit(rows).score_samples(rows)
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-9)
    assert np.mean(scores) == pytest.approx(-rows.shape[1])  # the mean squared distance of fit rows is D


def test_each_cluster_has_its_own_covariance() -> None:
    """With clusters: k-means of the standardised rows, then the nearest by each cluster's own covariance."""
    rows, _ = classes(0, n=200, width=3)
    standardised = StandardScaler().fit_transform(normalize(rows))
    of = kmeans(standardised, 3, seed=4).assignments

    scores = SSD(clusters=3, seed=4).fit(rows).score_samples(rows)

    own = [EmpiricalCovariance().fit(standardised[of == k]).mahalanobis(standardised) for k in range(3)]
    np.testing.assert_allclose(scores, -np.min(own, axis=0), rtol=1e-6, atol=1e-9)


def test_fewer_samples_than_dimensions() -> None:
    """The covariance of the standardised rows is scikit-learn's Ledoit-Wolf estimate, and it is said."""
    rows, _ = classes(0, n=20, width=50)
    standardised = StandardScaler().fit_transform(normalize(rows))
    shrunk, weight = ledoit_wolf(standardised)

    scorer = SSD().fit(rows)

    expected = np.einsum("ij,jk,ik->i", standardised, np.linalg.inv(shrunk), standardised)
    np.testing.assert_allclose(scorer.score_samples(rows), -expected, rtol=1e-6)
    assert (
        f"20 fit samples for 50 dimensions, 31 directions without variance: Ledoit-Wolf shrinkage {weight:.2g}"
        in (scorer.notes_[0])
    )


def test_a_feature_that_is_always_zero_is_seen() -> None:
    """A feature without variance is not divided by zero; a row that has it scores far lower."""
    rows, _ = classes(0, n=200)
    rows = np.column_stack([rows, np.zeros(200)])
    off = rows[:5] + np.array([0, 0, 0, 0, 100])

    scorer = SSD().fit(rows)

    assert scorer.spread_[-1] == 1
    assert (scorer.score_samples(off) < scorer.score_samples(rows[:5]) - 10).all()


def test_equal_rows_and_small_clusters() -> None:
    """Equal rows: every score is 0, and a note says why. A cluster of one row takes the shared covariance."""
    equal = SSD().fit(np.full((9, 3), 0.1))
    rows = np.random.default_rng(0).standard_normal((200, 4)) + np.array([20, 0, 0, 0])
    lonely = SSD(clusters=2).fit(np.vstack([rows, [[-1, 0, 0, 0]]]))

    assert equal.score_samples(np.array([[0.1] * 3, [5.0, 0, 1]])).tolist() == [0, 0]
    assert "all 9 fit samples are equal" in equal.notes_[0]
    assert "1 of 2 classes vary in too few directions" in lonely.notes_[0]


def test_what_cannot_be_fitted() -> None:
    """A single row, no cluster, more clusters than rows."""
    with pytest.raises(TooFewSamples, match="got 1 sample"):
        SSD().fit(np.ones((1, 4)))
    with pytest.raises(InvalidInput, match="clusters must be an integer of at least 1, got 0"):
        SSD(clusters=0).fit(np.eye(4))
    with pytest.raises(TooFewSamples, match="clusters=5 needs at least 5 fit samples, got 4"):
        SSD(clusters=5).fit(np.eye(4))


def test_clusters_keep_the_contract() -> None:
    """What holds for one cluster holds for several."""
    check_scorer(SSD(clusters=3))
