import numpy as np
import pytest
import torch
from hypothesis import given

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Head
from oodkit.scorers.residual_space import head_origin, residual_length, residual_space, usual_dim
from tests.scorers.heads import with_heads


def as_head(head) -> Head:
    return Head(*(torch.from_numpy(part) for part in head))


def test_usual_dim_is_the_authors_rule() -> None:
    """1000 from width 2048, 512 from 768, else half."""
    assert [usual_dim(width) for width in (1, 2, 7, 767, 768, 2047, 2048, 4096)] == [0, 1, 3, 383, 512, 512, 1000, 1000]


@given(with_heads())
def test_the_origin_is_where_logits_vanish(data) -> None:
    """W o + b = 0 where that has a solution, and o is the shortest such point: it lies in the row space of W."""
    rows, _, head = data
    weight, bias = head

    origin = head_origin(as_head(head)).numpy()

    expected = -np.linalg.lstsq(weight, bias, rcond=None)[0]
    np.testing.assert_allclose(origin, expected, rtol=1e-6, atol=1e-9)
    if len(weight) <= rows.shape[1]:
        np.testing.assert_allclose(weight @ origin + bias, 0, atol=1e-9)


@given(with_heads())
def test_length_is_that_of_the_smallest_eigenvectors(data) -> None:
    """The residual is the projection on the D - d eigenvectors with the smallest eigenvalues, for every d."""
    rows, _, head = data
    width = rows.shape[1]
    origin = -np.linalg.pinv(head[0]) @ head[1]
    moment = sum(np.outer(row - origin, row - origin) for row in rows) / len(rows)
    _, vectors = np.linalg.eigh(moment)

    for dim in range(width):
        space = residual_space(torch.from_numpy(rows), as_head(head), dim)
        length = residual_length(torch.from_numpy(rows), space.origin, space.basis)

        expected = np.linalg.norm((rows - origin) @ vectors[:, : width - dim], axis=1)
        np.testing.assert_allclose(length, expected, rtol=1e-6, atol=1e-7)
        assert (space.dim, space.rank) == (dim, width)


def test_without_a_head_the_origin_is_the_mean() -> None:
    """Rows (0, 0) and (2, 2): around their mean, what is left beside the diagonal."""
    rows = torch.tensor([[0.0, 0], [2, 2]])

    space = residual_space(rows, None, 1)

    np.testing.assert_allclose(space.origin, [1, 1])
    query = torch.tensor([[1.0, 1], [5, 5], [2, 0]])
    np.testing.assert_allclose(residual_length(query, space.origin, space.basis), [0, 0, np.sqrt(2)], atol=1e-6)


def test_directions_without_variance_are_left_over() -> None:
    """Where rows vary in fewer than d directions, all others belong to the residual space: it sees every step off."""
    rows = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 8)))

    space = residual_space(rows, None, 6)

    assert (space.dim, space.rank, space.basis.shape) == (6, 2, (8, 6))
    np.testing.assert_allclose(residual_length(rows, space.origin, space.basis), 0, atol=1e-9)


def test_dim_out_of_range_is_an_error() -> None:
    """d must leave something over."""
    for dim in (-1, 3, 4, 1.5):
        with pytest.raises(InvalidInput, match=f"dim must be an integer from 0 to 2.*got {dim}"):
            residual_space(torch.eye(3), None, dim)
