import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import Mahalanobis
from oodkit.testing import check_scorer
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


@given(labelled())
def test_a_covariance_for_each_class(data) -> None:
    """With per_class each class has scikit-learn's covariance of its own rows; one class is one Gaussian."""
    rows, _ = data
    labels = np.arange(len(rows)) % 2
    if len(rows) < 6 * rows.shape[1]:
        return  # too few per class for full rank

    scorer = Mahalanobis(covariance="per_class").fit(rows, labels)

    own = [EmpiricalCovariance().fit(rows[labels == label]).mahalanobis(rows) for label in (0, 1)]
    np.testing.assert_allclose(scorer.score_samples(rows), -np.min(own, axis=0), rtol=1e-6, atol=1e-9)
    assert scorer.notes_ == []
    for given_labels in (None, 0 * labels):
        single = Mahalanobis(covariance="per_class").fit(rows, given_labels).score_samples(rows)
        expected = Mahalanobis().fit(rows, given_labels).score_samples(rows)
        np.testing.assert_allclose(single, expected, rtol=1e-6, atol=1e-9)


@given(labelled(), st.integers(0, 10**6))
def test_affine_maps_do_not_matter_to_a_covariance_for_each_class(data, seed) -> None:
    """Features that go through z -> A z + t, with A invertible, give the same scores."""
    rows, labels = data
    if np.unique(labels, return_counts=True)[1].min() < 4 * rows.shape[1]:
        return
    matrix = np.linalg.qr(np.random.default_rng(seed).standard_normal((rows.shape[1],) * 2))[0] * 3
    matrix[0] *= 2

    mapped = Mahalanobis(covariance="per_class").fit(rows @ matrix + 1, labels).score_samples(rows @ matrix + 1)

    expected = Mahalanobis(covariance="per_class").fit(rows, labels).score_samples(rows)
    np.testing.assert_allclose(mapped, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("covariance", ["shared", "per_class"])
def test_clusters_take_the_place_of_classes(covariance) -> None:
    """Where clusters are the classes, k-means gives the scores that labels give; labels that were given are said."""
    rows, labels = classes(0, n=150)
    rows = rows + 100 * np.eye(4)[labels]
    expected = Mahalanobis(covariance=covariance).fit(rows, labels).score_samples(rows)

    clustered = Mahalanobis(clusters=3, covariance=covariance).fit(rows)
    ignoring = Mahalanobis(clusters=3, covariance=covariance, seed=5).fit(rows, np.arange(150))

    np.testing.assert_allclose(clustered.score_samples(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(ignoring.score_samples(rows), expected, rtol=1e-6)
    assert clustered.notes_ == []
    assert ignoring.notes_ == ["labels are ignored: the classes are 3 k-means cluster(s)"]


def test_one_cluster_is_one_gaussian() -> None:
    """clusters=1 is the score without labels, even where labels are given."""
    rows, labels = classes(0)

    scores = Mahalanobis(clusters=1).fit(rows, labels).score_samples(rows)

    np.testing.assert_allclose(scores, Mahalanobis().fit(rows).score_samples(rows), rtol=1e-9)


def test_single_rows_in_clusters() -> None:
    """Clusters of one row, among others, do not break a covariance for each: they take the shared one."""
    rows, _ = classes(0, n=60)
    rows = np.vstack([rows, rows[:1] + 1000])

    scorer = Mahalanobis(clusters=2, covariance="per_class").fit(rows)

    assert np.isfinite(scorer.score_samples(rows)).all()
    assert "1 of 2 classes vary in too few directions" in scorer.notes_[0]


def test_shrinkage_can_be_asked_for_or_forbidden() -> None:
    """ "ledoit_wolf" is scikit-learn's estimate whatever the rank, "none" the pseudo-inverse; both are said."""
    rows, labels = classes(0, n=60, width=5)
    own = np.array([rows[labels == label].mean(axis=0) for label in labels])
    shrunk, weight = ledoit_wolf(rows - own, assume_centered=True)
    few, of_few = classes(1, n=12, width=20)

    always = Mahalanobis(shrinkage="ledoit_wolf").fit(rows, labels)
    never = Mahalanobis(shrinkage="none").fit(few, of_few)

    means = [rows[labels == label].mean(axis=0) for label in np.unique(labels)]
    expected = np.min([squared_distances(rows, mean, shrunk) for mean in means], axis=0)
    np.testing.assert_allclose(always.score_samples(rows), -expected, rtol=1e-6)
    assert always.notes_ == [f"within-class covariance: Ledoit-Wolf shrinkage {weight:.2g}"]
    residuals = few - np.array([few[of_few == label].mean(axis=0) for label in of_few])
    inverse = np.linalg.pinv(residuals.T @ residuals / 12, rcond=1e-10)
    off = [few - few[of_few == label].mean(axis=0) for label in range(3)]
    expected = np.min([np.einsum("ij,jk,ik->i", one, inverse, one) for one in off], axis=0)
    np.testing.assert_allclose(never.score_samples(few), -expected, rtol=1e-6)
    assert never.shrinkage_ == 0
    assert "pseudo-inverse, blind in 11 directions" in never.notes_[0]


@given(labelled())
def test_linear_discriminant_identity(data) -> None:
    """-d_c / 2 = w_c . z + b_c - z' S^-1 z / 2, so the nearest class is that of linear discriminant analysis."""
    rows, labels = data
    scorer = Mahalanobis().fit(rows, labels)
    inverse = (scorer.whitening_ @ scorer.whitening_.T).numpy()
    means = np.array([rows[labels == label].mean(axis=0) for label in np.unique(labels)])

    linear = rows @ inverse @ means.T - np.einsum("ij,jk,ik->i", means, inverse, means) / 2
    expected = 2 * linear.max(axis=1) - np.einsum("ij,jk,ik->i", rows, inverse, rows)

    np.testing.assert_allclose(scorer.score_samples(rows), expected, rtol=1e-6, atol=1e-6 * np.abs(linear).max())


def test_parameters_out_of_range() -> None:
    """Words and numbers that mean nothing are one line each."""
    rows, labels = classes(0)
    with pytest.raises(InvalidInput, match="covariance must be one of 'shared', 'per_class', got 'full'"):
        Mahalanobis(covariance="full").fit(rows, labels)
    with pytest.raises(InvalidInput, match="shrinkage must be one of 'auto', 'none', 'ledoit_wolf', got None"):
        Mahalanobis(shrinkage=None).fit(rows, labels)
    with pytest.raises(InvalidInput, match="clusters must be an integer of at least 1, got 0"):
        Mahalanobis(clusters=0).fit(rows, labels)
    with pytest.raises(TooFewSamples, match="clusters=99 needs at least 99 fit samples, got 60"):
        Mahalanobis(clusters=99).fit(rows, labels)


@pytest.mark.parametrize("parameters", [{"covariance": "per_class"}, {"clusters": 3}, {"shrinkage": "ledoit_wolf"}])
def test_every_kind_keeps_the_contract(parameters) -> None:
    """What holds for the default holds for each parameter."""
    check_scorer(Mahalanobis(**parameters))
