import numpy as np
import pytest
import sklearn.decomposition
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import PCA
from tests.scorers.problems import labelled


def error(rows, queries, q):
    """Reconstruction error of scikit-learn's PCA with q components."""
    if q == 0:
        return np.linalg.norm(queries - rows.mean(axis=0), axis=1)
    model = sklearn.decomposition.PCA(n_components=q, svd_solver="full").fit(rows)
    return np.linalg.norm(queries - model.inverse_transform(model.transform(queries)), axis=1)


def units(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_distance_to_a_line() -> None:
    """Rows on the line y = 1 around (0, 1): what is left of (x, y) is y - 1."""
    rows = np.array([[-2.0, 1], [2, 1]])

    scores = PCA(components=1, normalize=False).fit(rows).score_samples(np.array([[9.0, 1], [9, 4], [0, -1]]))

    np.testing.assert_allclose(scores, [0, -3, -2], atol=1e-12)


@given(labelled(), st.integers(0, 10**6))
def test_agrees_with_scikit_learn(data, seed) -> None:
    """Scores are minus the reconstruction error of scikit-learn's PCA, of unit rows or as they are."""
    rows, _ = data
    q = seed % (rows.shape[1] + 1)
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    plain = PCA(components=q, normalize=False).fit(rows).score_samples(queries)
    normal = PCA(components=q).fit(rows).score_samples(queries)

    np.testing.assert_allclose(plain, -error(rows, queries, q), rtol=1e-6, atol=1e-6)
    if rows.shape[1] > 1:
        np.testing.assert_allclose(normal, -error(units(rows), units(queries), q), rtol=1e-6, atol=1e-6)


@given(labelled())
def test_from_the_distance_to_the_mean_to_nothing(data) -> None:
    """The score does not fall with q, from minus the distance to the mean for q = 0 to 0 for q = D."""
    rows, _ = data
    scores = [PCA(components=q, normalize=False).fit(rows).score_samples(2 * rows) for q in range(rows.shape[1] + 1)]

    assert (np.diff(scores, axis=0) >= -1e-9).all()
    np.testing.assert_allclose(scores[0], -np.linalg.norm(2 * rows - rows.mean(axis=0), axis=1), rtol=1e-9)
    np.testing.assert_allclose(scores[-1], 0, atol=1e-9)


@given(labelled(), st.integers(0, 10**6))
def test_rotation_does_not_matter(data, seed) -> None:
    """Features that are turned, around the origin, score as before; lengths do not matter when normalised."""
    rows, _ = data
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((rows.shape[1],) * 2))
    if rows.shape[1] == 1:
        return

    scores = PCA(components=1).fit(rows).score_samples(rows)

    turned = PCA(components=1).fit(rows @ turn).score_samples((rows @ turn) * rng.uniform(0.1, 9, (len(rows), 1)))
    np.testing.assert_allclose(turned, scores, rtol=1e-6, atol=1e-6)


def test_directions_of_equal_variance() -> None:
    """Inside equal variances the choice of directions is free and does not matter: a round cross keeps its plane."""
    rows = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 0.1], [0, 0, -0.1]])

    scores = PCA(components=2, normalize=False).fit(rows).score_samples(np.array([[3.0, 4, 5], [-1, 7, -2]]))

    np.testing.assert_allclose(scores, [-5, -2], atol=1e-9)


def test_a_share_that_only_all_directions_reach() -> None:
    """variance = 1 keeps every direction that varies, so fit rows are at distance 0; constant columns are seen."""
    rows = np.column_stack([np.random.default_rng(0).standard_normal((50, 4)), np.full(50, 0.1)])
    scorer = PCA(variance=1.0, normalize=False).fit(rows)

    assert scorer.directions_.shape == (5, 4)
    np.testing.assert_allclose(scorer.score_samples(rows), 0, atol=1e-9)
    np.testing.assert_allclose(scorer.score_samples(rows + np.eye(5)[4] * 3), -3, rtol=1e-9)


def test_equal_rows_leave_the_distance_to_them() -> None:
    """Without variance q = 0: minus the distance to the mean, and a note says why; a zero row is finite."""
    scorer = PCA().fit(np.tile([[0.0, 0.3]], (9, 1)) * np.arange(1, 10)[:, None])

    np.testing.assert_allclose(scorer.score_samples(np.array([[0.0, 7], [3, 0], [0, 0]])), [0, -np.sqrt(2), -1])
    assert scorer.notes_ == ["all fit samples are equal, so there are no principal directions"]


def test_fewer_samples_than_components() -> None:
    """The fit rows are at distance 0, and it is said that there are fewer directions."""
    rows = np.random.default_rng(0).standard_normal((4, 9))

    scorer = PCA(components=7, normalize=False).fit(rows)

    np.testing.assert_allclose(scorer.score_samples(rows), 0, atol=1e-9)
    np.testing.assert_allclose(scorer.score_samples(rows + 1), -error(rows, rows + 1, 3), rtol=1e-6)
    assert scorer.notes_ == ["the fit samples vary in 3 directions only: these are used, not components=7"]


def test_parameters_out_of_range_are_errors() -> None:
    """q > D and a share outside (0, 1]."""
    with pytest.raises(InvalidInput, match=r"components must be an integer from 0 to 3.*got 4"):
        PCA(components=4).fit(np.eye(3))
    for variance in (0, 1.5):
        with pytest.raises(InvalidInput, match="variance must be a share in"):
            PCA(variance=variance).fit(np.eye(3))
