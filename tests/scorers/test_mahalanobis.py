import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from oodkit.errors import TooFewSamples
from oodkit.scorers import Mahalanobis
from tests.scorers.problems import classes, labelled, smallest_distances, squared_distances


def test_distance_in_units_of_the_spread() -> None:
    """Class 0 has mean 0, class 1 mean 10, both variance 1: 3 is 9 away from the nearest mean, 8 is 4."""
    rows = np.array([[-1.0], [1.0], [9.0], [11.0]])

    scores = Mahalanobis().fit(rows, [0, 0, 1, 1]).score_samples(np.array([[3.0], [8.0], [10.0]]))

    np.testing.assert_allclose(scores, [-9, -4, 0], atol=1e-12)


@given(labelled(), st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Scores are those of class means, pooled covariance, inverse and a loop over classes, to 1e-6."""
    rows, labels = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scorer = Mahalanobis().fit(rows, labels)

    np.testing.assert_allclose(scorer.score_samples(queries), -smallest_distances(queries, rows, labels), rtol=1e-6)
    assert (scorer.shrinkage_, scorer.null_space_dim_, scorer.notes_) == (0, 0, [])
    assert scorer.n_classes_ == len(np.unique(labels))


def test_agrees_with_float64_at_condition_one_million() -> None:
    """float32 features of condition 1e6 give squared distances within 1e-6 of float64's, relatively."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((64, 64)))
    labels = np.arange(2000) % 20
    rows = ((10 * rng.standard_normal((20, 64)))[labels] + rng.standard_normal((2000, 64))) * np.logspace(0, 3, 64)
    rows = (rows @ turn).astype(np.float32)

    scores = Mahalanobis().fit(rows, labels).score_samples(rows[:50])

    exact = rows.astype(np.float64)
    np.testing.assert_allclose(scores, -smallest_distances(exact[:50], exact, labels), rtol=1e-6)


@given(labelled())
def test_mean_distance_to_the_own_class_is_the_number_of_dimensions(data) -> None:
    """With the covariance divided by N, the fit rows' mean squared distance to their own class is D exactly."""
    rows, labels = data
    scorer = Mahalanobis().fit(rows, labels)

    whitened = (torch.from_numpy(rows) - scorer.location_) @ scorer.whitening_
    own = scorer.class_means_[np.unique(labels, return_inverse=True)[1]]

    assert float((whitened - own).square().sum(dim=1).mean()) == pytest.approx(rows.shape[1], rel=1e-9)


@given(labelled(), st.integers(0, 10**6))
def test_affine_maps_do_not_matter(data, seed) -> None:
    """Features that go through z -> A z + t, with A invertible, give the same scores."""
    rows, labels = data
    rng = np.random.default_rng(seed)
    width = rows.shape[1]
    turns = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(2)]
    matrix, shift = turns[0] * rng.uniform(0.2, 5, width) @ turns[1], rng.standard_normal(width)

    mapped = Mahalanobis().fit(rows @ matrix + shift, labels).score_samples(rows @ matrix + shift)

    np.testing.assert_allclose(mapped, Mahalanobis().fit(rows, labels).score_samples(rows), rtol=1e-6, atol=1e-9)


@given(labelled())
def test_without_labels_it_is_one_gaussian(data) -> None:
    """Without labels, or with one class, scores are scikit-learn's distances to the mean; the former is said."""
    rows, _ = data

    scorer = Mahalanobis().fit(rows)
    one = Mahalanobis().fit(rows, np.full(len(rows), 7))

    expected = -EmpiricalCovariance().fit(rows).mahalanobis(rows)
    np.testing.assert_allclose(scorer.score_samples(rows), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one.score_samples(rows), expected, rtol=1e-6, atol=1e-9)
    assert scorer.n_classes_ == one.n_classes_ == 1
    assert scorer.notes_ == ["no labels were given: all fit samples are one class"]
    assert one.notes_ == []


def test_round_clusters_are_ordered_by_distance_to_the_nearest_mean() -> None:
    """With S_w = s^2 I the score is the squared Euclidean distance to the nearest mean over s^2."""
    cross = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]) * 3  # covariance 4.5 I
    means = np.array([[0.0, 0], [20, 5]])
    rows = np.concatenate([mean + cross for mean in means])
    queries = np.random.default_rng(0).uniform(-10, 30, (50, 2))

    scores = Mahalanobis().fit(rows, np.repeat([0, 1], 4)).score_samples(queries)

    nearest = np.min([np.sum((queries - mean) ** 2, axis=1) for mean in means], axis=0)
    np.testing.assert_allclose(scores, -nearest / 4.5, rtol=1e-9)


@given(labelled())
def test_each_row_twice_changes_nothing(data) -> None:
    """Doubling the fit rows leaves means and the covariance divided by N as they are."""
    rows, labels = data

    twice = Mahalanobis().fit(np.repeat(rows, 2, axis=0), np.repeat(labels, 2))

    expected = Mahalanobis().fit(rows, labels).score_samples(rows)
    np.testing.assert_allclose(twice.score_samples(rows), expected, rtol=1e-6, atol=1e-9)


@given(labelled())
def test_normalize_is_the_same_on_rows_of_length_one(data) -> None:
    """normalize=True is the plain score of features scaled to length 1: their length does not matter."""
    rows, labels = data
    if rows.shape[1] == 1:
        return  # all rows become +-1
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    scores = Mahalanobis(normalize=True).fit(rows, labels).score_samples(3 * rows)

    expected = Mahalanobis().fit(units, labels).score_samples(units)
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("normalize", [False, True])
def test_fewer_samples_than_dimensions(normalize) -> None:
    """The within-class covariance is shrunk by Ledoit and Wolf's weight; scores are finite, and it is said."""
    rows, labels = classes(0, n=20, width=50, count=4)

    scorer = Mahalanobis(normalize=normalize).fit(rows, labels)

    assert np.isfinite(scorer.score_samples(rows)).all()
    assert 0 < scorer.shrinkage_ < 1
    assert scorer.null_space_dim_ == 50 - (20 - 4)
    assert "20 fit samples for 50 dimensions" in scorer.notes_[0]
    assert f"Ledoit-Wolf shrinkage {scorer.shrinkage_:.2g}" in scorer.notes_[0]
    if not normalize:
        own = np.array([rows[labels == label].mean(axis=0) for label in labels])
        shrunk, weight = ledoit_wolf(rows - own, assume_centered=True)
        expected = np.min([squared_distances(rows, mean, shrunk) for mean in np.unique(own, axis=0)], axis=0)
        np.testing.assert_allclose(scorer.score_samples(rows), -expected, rtol=1e-6)
        assert scorer.shrinkage_ == pytest.approx(weight)


def test_a_constant_feature_is_reported_and_seen() -> None:
    """A column without variance makes the covariance singular: it is shrunk, so not blind there, and said."""
    rows, labels = classes(0, n=200)
    rows = np.column_stack([rows, np.full(200, 0.1)])
    off = rows[:5] + np.array([0, 0, 0, 0, 100])

    scorer = Mahalanobis().fit(rows, labels)

    assert scorer.null_space_dim_ == 1
    assert scorer.shrinkage_ > 0
    assert "1 directions without variance" in scorer.notes_[0]
    assert (scorer.score_samples(off) < scorer.score_samples(rows[:5]) - 100).all()


def test_equal_rows() -> None:
    """All rows equal: every score is 0 and a note says why, never NaN."""
    scorer = Mahalanobis().fit(np.full((9, 3), 0.1))

    assert scorer.score_samples(np.array([[0.1] * 3, [5.0] * 3])).tolist() == [0, 0]
    assert scorer.null_space_dim_ == 3
    assert scorer.notes_[-1] == "within-class covariance: all 9 fit samples are equal, so distances are 0"


def test_one_sample_per_class_is_an_error() -> None:
    """Without variance inside any class there is no distance; a class of one row among others is fine."""
    with pytest.raises(TooFewSamples, match="give at least 2 different samples per class"):
        Mahalanobis().fit(np.eye(4), np.arange(4))
    with pytest.raises(TooFewSamples, match="got 1 sample"):
        Mahalanobis().fit(np.ones((1, 4)))
    rows, labels = classes(0)

    assert np.isfinite(Mahalanobis().fit(np.vstack([rows, rows[:1] + 9]), [*labels, 99]).score_samples(rows)).all()
