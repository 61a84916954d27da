import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import Mahalanobis, RelativeMahalanobis
from oodkit.testing import check_scorer
from tests.scorers.problems import classes, labelled, smallest_distances, squared_distances

several = labelled().filter(lambda data: len(np.unique(data[1])) > 1)


def test_one_dimension_by_hand() -> None:
    """Classes at 0 and 10 with variance 1: all data have mean 5 and variance 26, so 10 scores 25/26 - 0."""
    rows = np.array([[-1.0], [1.0], [9.0], [11.0]])

    scores = RelativeMahalanobis().fit(rows, [0, 0, 1, 1]).score_samples(np.array([[10.0], [5.0], [3.0]]))

    np.testing.assert_allclose(scores, [25 / 26, -25, 4 / 26 - 9], rtol=1e-12)


@given(several, st.integers(0, 10**6))
def test_agrees_with_loops_in_float64(data, seed) -> None:
    """Scores are the distance to all data minus that to the nearest class, each by loops, to 1e-6."""
    rows, labels = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = RelativeMahalanobis().fit(rows, labels).score_samples(queries)

    to_class = smallest_distances(queries, rows, labels)
    to_all = squared_distances(queries, rows.mean(axis=0), np.cov(rows.T, bias=True).reshape((rows.shape[1],) * 2))
    np.testing.assert_allclose(scores, to_all - to_class, rtol=1e-6, atol=1e-6 * to_class.max())


@given(several)
def test_is_what_two_mahalanobis_scorers_give(data) -> None:
    """It is the score with the classes minus the score without labels."""
    rows, labels = data

    scores = RelativeMahalanobis().fit(rows, labels).score_samples(rows)

    by_class, by_all = Mahalanobis().fit(rows, labels), Mahalanobis().fit(rows)
    expected = by_class.score_samples(rows) - by_all.score_samples(rows)
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


@given(several)
def test_mean_distance_to_all_data_is_the_number_of_dimensions(data) -> None:
    """With the covariance divided by N, the fit rows' mean squared distance to their mean is D exactly."""
    rows, labels = data
    scorer = RelativeMahalanobis().fit(rows, labels)

    whitened = (torch.from_numpy(rows) - scorer.location_) @ scorer.total_whitening_

    assert float(whitened.square().sum(dim=1).mean()) == pytest.approx(rows.shape[1], rel=1e-9)


@given(several, st.integers(0, 10**6))
def test_affine_maps_do_not_matter(data, seed) -> None:
    """Features that go through z -> A z + t, with A invertible, give the same scores."""
    rows, labels = data
    rng = np.random.default_rng(seed)
    matrix = np.linalg.qr(rng.standard_normal((rows.shape[1],) * 2))[0] * rng.uniform(0.2, 5, rows.shape[1])

    mapped = RelativeMahalanobis().fit(rows @ matrix + 3, labels).score_samples(rows @ matrix + 3)

    expected = RelativeMahalanobis().fit(rows, labels).score_samples(rows)
    np.testing.assert_allclose(mapped, expected, rtol=1e-6, atol=1e-6)


@given(several)
def test_each_row_twice_changes_nothing(data) -> None:
    """Doubling the fit rows leaves both covariances as they are."""
    rows, labels = data

    twice = RelativeMahalanobis().fit(np.repeat(rows, 2, axis=0), np.repeat(labels, 2)).score_samples(rows)

    expected = RelativeMahalanobis().fit(rows, labels).score_samples(rows)
    np.testing.assert_allclose(twice, expected, rtol=1e-6, atol=1e-6)


@given(several)
def test_normalize_is_the_same_on_rows_of_length_one(data) -> None:
    """normalize=True is the plain score of features scaled to length 1."""
    rows, labels = data
    assume(rows.shape[1] > 1)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    scores = RelativeMahalanobis(normalize=True).fit(rows, labels).score_samples(3 * rows)

    expected = RelativeMahalanobis().fit(units, labels).score_samples(units)
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


def test_fewer_samples_than_dimensions() -> None:
    """The within-class covariance is scikit-learn's Ledoit-Wolf estimate, the total that plus the class means'."""
    rows, labels = classes(0, n=20, width=50, count=4)
    queries = np.random.default_rng(1).standard_normal((7, 50)) * 3

    scorer = RelativeMahalanobis().fit(rows, labels)

    means = np.array([rows[labels == label].mean(axis=0) for label in range(4)])
    within, weight = ledoit_wolf(rows - means[labels], assume_centered=True)
    between = sum(np.outer(means[y] - rows.mean(axis=0), means[y] - rows.mean(axis=0)) for y in labels) / len(rows)
    to_class = np.min([squared_distances(queries, mean, within) for mean in means], axis=0)
    expected = squared_distances(queries, rows.mean(axis=0), within + between) - to_class
    np.testing.assert_allclose(scorer.score_samples(queries), expected, rtol=1e-6, atol=1e-6 * to_class.max())
    assert scorer.shrinkage_ == pytest.approx(weight)
    assert scorer.null_space_dim_ == 50 - (20 - 4)
    assert [note.partition(":")[0] for note in scorer.notes_] == ["within-class covariance"]


def test_directions_in_which_classes_do_not_differ_cancel() -> None:
    """Shrunk or not, a move that the whitened class means do not see leaves the score as it is."""
    rows, labels = classes(0, n=20, width=50, count=4)
    scorer = RelativeMahalanobis().fit(rows, labels)
    seen = (scorer.whitening_ @ scorer.class_means_.T).numpy()  # (D, C)
    move = np.random.default_rng(2).standard_normal(50)
    move -= seen @ np.linalg.lstsq(seen, move, rcond=None)[0]

    moved = scorer.score_samples(rows + 100 * move)

    np.testing.assert_allclose(moved, scorer.score_samples(rows), rtol=1e-5, atol=1e-4)


def test_one_class_is_refused() -> None:
    """Without labels, or with one class, the score would be 0 for everything; the message says what to do."""
    rows, labels = classes(0)
    with pytest.raises(InvalidInput, match=r"needs \(N,\) class labels: fit\(features, labels\)"):
        RelativeMahalanobis().fit(rows)
    with pytest.raises(InvalidInput, match=r"at least 2 classes, the labels name 1 class, .* use Mahalanobis"):
        RelativeMahalanobis().fit(rows, 0 * labels)
    with pytest.raises(TooFewSamples, match="at least 2 different samples per class"):
        RelativeMahalanobis().fit(np.eye(4), np.arange(4))


@pytest.mark.parametrize("covariance", ["shared", "per_class"])
def test_clusters_take_the_place_of_classes(covariance) -> None:
    """Where clusters are the classes, k-means gives the scores of labels; then labels are neither needed nor used."""
    rows, labels = classes(0, n=150)
    rows = rows + 100 * np.eye(4)[labels]
    expected = RelativeMahalanobis(covariance=covariance).fit(rows, labels).score_samples(rows)

    clustered = RelativeMahalanobis(clusters=3, covariance=covariance).fit(rows)
    ignoring = RelativeMahalanobis(clusters=3, covariance=covariance).fit(rows, np.arange(150))

    np.testing.assert_allclose(clustered.score_samples(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(ignoring.score_samples(rows), expected, rtol=1e-6)
    assert ignoring.notes_ == ["labels are ignored: the classes are 3 k-means cluster(s)"]
    with pytest.raises(InvalidInput, match="at least 2 classes, clusters=1 makes 1 class"):
        RelativeMahalanobis(clusters=1).fit(rows)


def test_labels_are_needed_unless_it_makes_its_own_classes() -> None:
    """What an instance needs depends on `clusters`; the class itself, and what is fitted without, need labels."""
    assert RelativeMahalanobis.needs == RelativeMahalanobis().needs == {"labels"}
    assert RelativeMahalanobis(clusters=3).needs == frozenset()


def test_a_covariance_for_each_class() -> None:
    """With per_class: distance to all data minus the smallest by scikit-learn's covariance of the class's own rows."""
    rows, labels = classes(0, n=90)

    scores = RelativeMahalanobis(covariance="per_class").fit(rows, labels).score_samples(rows)

    own = [EmpiricalCovariance().fit(rows[labels == label]).mahalanobis(rows) for label in range(3)]
    np.testing.assert_allclose(scores, EmpiricalCovariance().fit(rows).mahalanobis(rows) - np.min(own, axis=0))


@pytest.mark.parametrize("parameters", [{"covariance": "per_class"}, {"clusters": 3}, {"shrinkage": "ledoit_wolf"}])
def test_every_kind_keeps_the_contract(parameters) -> None:
    """What holds for the default holds for each parameter."""
    check_scorer(RelativeMahalanobis(**parameters))
