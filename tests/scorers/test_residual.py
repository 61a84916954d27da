import numpy as np
import pytest
from hypothesis import given
from sklearn.decomposition import PCA

from oodkit.errors import InvalidInput
from oodkit.scorers import Residual
from tests.scorers.heads import headed, with_heads


def test_distance_to_a_line_through_the_origin_of_the_head() -> None:
    """A head with b = 0 has its origin at 0; fit rows on the x axis leave the y axis over: the score is -|y|."""
    rows = np.array([[1.0, 0], [2, 0], [-4, 0]])

    scorer = Residual(dim=1).fit(rows, head=(np.eye(2), np.zeros(2)))

    np.testing.assert_allclose(scorer.score_samples(np.array([[7.0, -3], [0, 0.5], [9, 0]])), [-3, -0.5, 0], atol=1e-12)
    assert scorer.notes_ == []


def test_the_bias_moves_the_origin() -> None:
    """With W = I and b = (0, -5) the origin is (0, 5), whence the same line is at distance 5 and |y - 5| is left."""
    rows = np.array([[1.0, 5], [2, 5], [-4, 5]])

    scores = Residual(dim=1).fit(rows, head=(np.eye(2), [0.0, -5])).score_samples(np.array([[3.0, 5], [3, 1]]))

    np.testing.assert_allclose(scores, [0, -4], atol=1e-9)


@given(with_heads())
def test_agrees_with_eigenvectors_in_float64(data) -> None:
    """Scores are minus the length of the projection on the smallest eigenvectors around -pinv(W) b."""
    rows, _, (weight, bias) = data
    width = rows.shape[1]
    origin = -np.linalg.pinv(weight) @ bias
    _, vectors = np.linalg.eigh(sum(np.outer(row - origin, row - origin) for row in rows) / len(rows))
    queries = 3 * rows[:9, ::-1]

    scores = Residual().fit(rows, head=(weight, bias)).score_samples(queries)

    expected = [-np.linalg.norm(vectors[:, : width - width // 2].T @ (q - origin)) for q in queries]
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-7)


@given(with_heads())
def test_without_a_head_it_is_scikit_learns_reconstruction_error(data) -> None:
    """The origin is then the mean, which a note says: the score is minus the error of PCA with d components."""
    rows, _, _ = data
    dim = rows.shape[1] // 2

    scorer = Residual(dim).fit(rows)

    model = PCA(n_components=dim, svd_solver="full").fit(rows)
    expected = -np.linalg.norm(rows - model.inverse_transform(model.transform(rows)), axis=1)
    np.testing.assert_allclose(scorer.score_samples(rows), expected, rtol=1e-6, atol=1e-7)
    assert scorer.notes_ == ["no head was given: the origin is the mean of the fit samples"]


@given(with_heads())
def test_falls_no_further_with_more_directions(data) -> None:
    """The score does not fall with d, and with d = 0 it is minus the distance to the origin."""
    rows, _, head = data
    scorers = [Residual(dim).fit(rows, head=head) for dim in range(rows.shape[1])]
    scores = np.array([scorer.score_samples(rows) for scorer in scorers])

    assert (np.diff(scores, axis=0) >= -1e-9).all()
    distance = np.linalg.norm(rows - scorers[0].origin_.numpy(), axis=1)
    np.testing.assert_allclose(scores[0], -distance, rtol=1e-9)


def test_fewer_samples_than_directions() -> None:
    """The fit rows are at distance 0, every step off what they span is seen, and it is said."""
    rows, _, head = headed(0, n=3, width=8)

    scorer = Residual(dim=6).fit(rows, head=head)

    np.testing.assert_allclose(scorer.score_samples(rows), 0, atol=1e-6)
    assert (scorer.score_samples(rows + np.eye(8)[:3]) < -0.1).all()
    assert scorer.dim_ == 3
    assert scorer.notes_ == ["the 3 fit samples vary in 3 directions only: these are taken out, not dim=6"]


def test_equal_rows_leave_the_distance_to_them() -> None:
    """All rows equal: minus the distance to that row, a constant column included."""
    scorer = Residual(dim=1).fit(np.full((9, 3), 0.1))

    np.testing.assert_allclose(scorer.score_samples(np.array([[0.1] * 3, [0.1, 0.1, 5.1]])), [0, -5], atol=1e-9)
    assert "vary in 0 directions only" in scorer.notes_[-1]


def test_dim_out_of_range_is_an_error() -> None:
    """d >= D leaves nothing over."""
    for dim in (-1, 4, 5):
        with pytest.raises(InvalidInput, match=f"dim must be an integer from 0 to 3.*got {dim}"):
            Residual(dim).fit(np.eye(4))
