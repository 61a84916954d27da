import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import normalize

from oodkit.errors import InvalidInput
from oodkit.scorers import Mahalanobis, Prototypes
from oodkit.testing import check_scorer
from tests.scorers.banks import scaled, turned
from tests.scorers.problems import classes, labelled

wide = labelled().filter(lambda data: data[0].shape[1] > 1)  # in one dimension directions can cancel
METRICS = ["cosine", "euclidean"]


def test_two_classes_on_the_axes() -> None:
    """Prototypes along the axes: a row between them has cosine 0.6 or 0.8, and the distance to the nearer mean."""
    rows, labels = np.array([[1.0, 0], [3, 0], [0, 2], [0, 4]]), [0, 0, 1, 1]
    queries = np.array([[6.0, 8], [2, 0], [0, 0]])

    cosine = Prototypes().fit(rows, labels).score_samples(queries)
    euclidean = Prototypes("euclidean").fit(rows, labels).score_samples(queries)

    np.testing.assert_allclose(cosine, [0.8, 1, 0], atol=1e-12)
    np.testing.assert_allclose(euclidean, [-np.sqrt(6**2 + 5**2), 0, -2], atol=1e-12)


@given(wide, st.integers(0, 10**6))
def test_cosine_agrees_with_a_loop_over_classes(data, seed) -> None:
    """The largest cosine with the class means of scikit-learn's unit rows."""
    rows, labels = data
    queries = np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = Prototypes().fit(rows, labels).score_samples(queries)

    means = [normalize(rows)[labels == label].mean(axis=0) for label in np.unique(labels)]
    expected = [max(q @ m / np.linalg.norm(q) / np.linalg.norm(m) for m in means) for q in queries]
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-12)


@given(labelled(), st.integers(0, 10**6))
def test_euclidean_agrees_with_nearest_centroid(data, seed) -> None:
    """Minus the distance to the nearest of scikit-learn's centroids."""
    rows, labels = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scores = Prototypes("euclidean").fit(rows, labels).score_samples(queries)

    centroids = [rows[labels == label].mean(axis=0) for label in np.unique(labels)]
    if len(centroids) > 1:
        np.testing.assert_allclose(NearestCentroid().fit(rows, labels).centroids_, centroids)
    expected = -np.min([np.linalg.norm(queries - c, axis=1) for c in centroids], axis=0)
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


@given(wide, st.integers(0, 10**6))
def test_length_and_rotation(data, seed) -> None:
    """The cosine does not see the length of any row; neither metric sees a rotation of all."""
    rows, labels = data
    scores = Prototypes().fit(rows, labels).score_samples(rows)

    stretched = Prototypes().fit(scaled(rows, seed), labels).score_samples(scaled(rows, seed + 1))

    np.testing.assert_allclose(stretched, scores, rtol=1e-9, atol=1e-9)
    for metric in METRICS:
        found = Prototypes(metric).fit(turned(rows, seed), labels).score_samples(turned(rows, seed))
        expected = Prototypes(metric).fit(rows, labels).score_samples(rows)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("metric", METRICS)
def test_class_counts_do_not_matter(metric) -> None:
    """A class whose rows are repeated, or that gets its own mean as a further row, keeps its prototype."""
    rows, labels = classes(0)
    first = labels == 0
    mean = (normalize(rows) if metric == "cosine" else rows)[first].mean(axis=0, keepdims=True)
    scores = Prototypes(metric).fit(rows, labels).score_samples(rows)

    repeated = Prototypes(metric).fit(np.vstack([rows, rows[first]]), np.append(labels, labels[first]))
    with_mean = Prototypes(metric).fit(np.vstack([rows, mean]), np.append(labels, 0))

    np.testing.assert_allclose(repeated.score_samples(rows), scores, rtol=1e-9)
    np.testing.assert_allclose(with_mean.score_samples(rows), scores, rtol=1e-9)


def test_euclidean_orders_as_mahalanobis_of_round_clusters() -> None:
    """With S_w = s^2 I the squared distance is the Mahalanobis distance times s^2."""
    cross = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]) * 3  # covariance 4.5 I
    rows, labels = np.concatenate([cross, cross + np.array([20, 5])]), np.repeat([0, 1], 4)
    queries = np.random.default_rng(0).uniform(-10, 30, (50, 2))

    scores = Prototypes("euclidean").fit(rows, labels).score_samples(queries)

    np.testing.assert_allclose(-(scores**2) / 4.5, Mahalanobis().fit(rows, labels).score_samples(queries), rtol=1e-9)


def test_one_class_is_the_cosine_to_the_mean_direction() -> None:
    """With one class the score is the cosine to the mean of all directions."""
    rows, labels = classes(0)
    mean = normalize(rows).mean(axis=0)

    scores = Prototypes().fit(rows, 0 * labels).score_samples(rows)

    np.testing.assert_allclose(scores, normalize(rows) @ mean / np.linalg.norm(mean), rtol=1e-9)


def test_directions_that_cancel() -> None:
    """A class of opposite rows has no direction: cosine 0 with everything, and a note; so have zero rows."""
    rows = np.array([[0.1, 0.3, 0.7], [-0.2, -0.6, -1.4]])

    scorer = Prototypes().fit(rows, [4, 4])
    zeros = Prototypes().fit(np.zeros((3, 3)), [0, 1, 1])

    assert scorer.score_samples(rows).tolist() == zeros.score_samples(rows).tolist() == [0, 0]
    assert scorer.notes_ == ["1 of 1 classes have rows whose directions cancel: cosine 0 with their prototype"]


def test_single_rows_are_prototypes() -> None:
    """One row per class: each scores 1, or distance 0, and gradients there are 0, not NaN."""
    rows = torch.eye(4, dtype=torch.float64, requires_grad=True)
    for metric, expected in (("cosine", 1), ("euclidean", 0)):
        scores = Prototypes(metric).fit(rows.detach(), np.arange(4)).score_tensor(rows)
        (slope,) = torch.autograd.grad(scores.sum(), rows)

        np.testing.assert_allclose(scores.detach(), expected, atol=1e-12)
        np.testing.assert_allclose(slope, 0, atol=1e-12)


def test_parameters_and_labels() -> None:
    """Another metric and missing labels are one line each."""
    with pytest.raises(InvalidInput, match="metric must be one of 'cosine', 'euclidean', got 'l1'"):
        Prototypes("l1").fit(np.eye(3), [0, 1, 2])
    with pytest.raises(InvalidInput, match=r"Prototypes .* needs \(N,\) class labels"):
        Prototypes().fit(np.eye(3))


def test_euclidean_keeps_the_contract() -> None:
    """What holds for the cosine holds for the distance."""
    check_scorer(Prototypes("euclidean"))
