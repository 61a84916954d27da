from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from oodkit.errors import InvalidInput
from oodkit.scorers.principal import principal, residual_norm
from oodkit.scorers.unit_rows import unit_rows


def rows_of(seed: int, n: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((width, width)))
    return rng.standard_normal((n, width)) * np.linspace(3, 0.5, width) @ turn + 10


shapes = st.tuples(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 12))


def projector(directions: np.ndarray) -> np.ndarray:
    return np.asarray(directions) @ np.asarray(directions).T


def test_directions_of_a_cross() -> None:
    """Rows at +-2 on the first axis and +-1 on the second, around (5, 5): variances 2 and 1/2."""
    rows = torch.tensor([[7.0, 5], [3, 5], [5, 6], [5, 4]])

    found = principal(rows)

    np.testing.assert_allclose(found.centre, [5, 5])
    np.testing.assert_allclose(found.variances, [2, 0.5])
    np.testing.assert_allclose(found.directions.abs(), np.eye(2), atol=1e-12)


@given(shapes)
def test_agrees_with_scikit_learn(shape) -> None:
    """Variances and the projection on the directions are those of scikit-learn's PCA, more rows than columns or not."""
    rows = rows_of(*shape)
    n, width = rows.shape
    if n == 1:
        return

    found = principal(torch.from_numpy(rows))

    expected = PCA(svd_solver="full").fit(rows)
    rank = min(n - 1, width)
    np.testing.assert_allclose(found.centre, expected.mean_, rtol=1e-9)
    np.testing.assert_allclose(found.variances, expected.explained_variance_[:rank] * (n - 1) / n, rtol=1e-6)
    np.testing.assert_allclose(projector(found.directions), projector(expected.components_[:rank].T), atol=1e-6)
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(rank), atol=1e-9)


@given(shapes, st.integers(0, 10**6))
def test_around_another_point(shape, seed) -> None:
    """Around a given centre the variances are eigenvalues of the mean outer product of the rows relative to it."""
    rows = rows_of(*shape)
    centre = 5 * np.random.default_rng(seed).standard_normal(rows.shape[1])

    found = principal(torch.from_numpy(rows), centre=torch.from_numpy(centre))

    moment = sum(np.outer(row - centre, row - centre) for row in rows) / len(rows)
    expected = np.linalg.eigvalsh(moment)[::-1][: len(found.variances)]
    np.testing.assert_allclose(found.centre, centre, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.variances, expected, rtol=1e-6)
    np.testing.assert_allclose(float(found.variances.sum()), np.trace(moment), rtol=1e-9)


@given(shapes)
def test_standardised_columns(shape) -> None:
    """Standardising is scikit-learn's StandardScaler first; a constant column has scale 1 and no part in directions."""
    rows = np.column_stack([rows_of(*shape), np.full(shape[1], 0.1)])
    if len(rows) == 1:
        return

    found = principal(torch.from_numpy(rows), standardise=True)

    scaler = StandardScaler().fit(rows)
    expected = PCA(svd_solver="full").fit(scaler.transform(rows))
    np.testing.assert_allclose(found.scale, scaler.scale_, rtol=1e-9)
    rank = len(found.variances)
    np.testing.assert_allclose(
        found.variances, expected.explained_variance_[:rank] * (len(rows) - 1) / len(rows), rtol=1e-6
    )
    np.testing.assert_allclose(found.directions[-1], 0, atol=1e-12)


@given(shapes)
def test_prepared_rows_are_rows(shape) -> None:
    """Rows prepared on the way are rows that were prepared before; their width may change."""
    rows = torch.from_numpy(rows_of(*shape))

    def doubled(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([unit_rows(x), x.sin()], dim=1)

    found, expected = principal(rows, doubled), principal(doubled(rows))

    torch.testing.assert_close(found.variances, expected.variances)
    torch.testing.assert_close(found.centre, expected.centre)


def test_rank_is_what_the_rows_span() -> None:
    """Equal rows vary in no direction, two different rows in one, rows on a ray in none once they have length 1."""
    ray = torch.tensor([[0.1, 0.2, 0.7]]).double() * torch.tensor([[1.0], [3.0], [1e5], [0.3], [7.0]])

    assert len(principal(torch.full((9, 3), 0.1)).variances) == 0
    assert len(principal(torch.full((2, 3), 0.1)).variances) == 0
    assert len(principal(torch.tensor([[0.1, 5e3]] * 7 + [[0.2, 5e3]])).variances) == 1
    assert len(principal(ray, unit_rows).variances) == 0
    assert len(principal(ray).variances) == 1


@given(shapes)
def test_projection_and_residual_are_orthogonal(shape) -> None:
    """||z||^2 = ||U' z||^2 + residual^2, and the residual falls with q, from the length to 0."""
    rows = torch.from_numpy(rows_of(*shape))
    found = principal(rows)
    centred = rows - found.centre
    lengths = [residual_norm(centred, found.directions[:, :q]) for q in range(len(found.variances) + 1)]

    for q, length in enumerate(lengths):
        projected = centred @ found.directions[:, :q]
        torch.testing.assert_close(
            length.square() + projected.square().sum(dim=1), centred.square().sum(dim=1), rtol=1e-9, atol=1e-9
        )
    assert all((b <= a + 1e-9).all() for a, b in pairwise(lengths))
    torch.testing.assert_close(lengths[0], torch.linalg.vector_norm(centred, dim=1))
    assert float(lengths[-1].max()) < 1e-6


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_whitened_projections_sum_to_the_mahalanobis_distance(seed, width) -> None:
    """Squared projections over their variances add up to the Mahalanobis distance of all rows."""
    rows = rows_of(seed, 40, width)
    found = principal(torch.from_numpy(rows))

    whitened = ((torch.from_numpy(rows) - found.centre) @ found.directions).square() / found.variances

    inverse = np.linalg.inv(np.atleast_2d(np.cov(rows.T, bias=True)))
    expected = [(row - rows.mean(axis=0)) @ inverse @ (row - rows.mean(axis=0)) for row in rows]
    np.testing.assert_allclose(whitened.sum(dim=1), expected, rtol=1e-6)


def test_share_of_the_variance() -> None:
    """Of variances 6, 3, 1 a share of 0.6 needs one direction, 0.61 two, 1 all three; of none, none."""
    root = np.sqrt(3 * np.array([6.0, 3, 1]))
    rows = torch.from_numpy(np.concatenate([np.diag(root), -np.diag(root)]))
    found = principal(rows)

    assert [found.reaching(share) for share in (0.01, 0.6, 0.61, 0.9, 0.91, 1)] == [1, 1, 2, 2, 3, 3]
    assert principal(torch.ones(5, 3)).reaching(0.5) == 0


def test_leading_directions_on_request() -> None:
    """A number, at most the rank and then said, or a share; out of range is an error."""
    rows = torch.from_numpy(rows_of(0, 4, 6))
    found = principal(rows)

    assert found.leading(0.5, components=2)[0].shape == (6, 2)
    assert found.leading(0.5, components=0)[0].shape == (6, 0)
    assert found.leading(1.0, None)[0].shape == (6, 3)
    directions, notes = found.leading(0.5, components=5)
    assert directions.shape == (6, 3)
    assert notes == ["the fit samples vary in 3 directions only: these are used, not components=5"]
    assert principal(torch.ones(4, 2)).leading(0.5, None)[1][0].startswith("all fit samples are equal")
    for components in (-1, 7, 1.5):
        with pytest.raises(InvalidInput, match="components must be an integer from 0 to 6"):
            found.leading(0.5, components)
    with pytest.raises(InvalidInput, match="from 1 to 6"):
        found.leading(0.5, 0, at_least=1)
    for variance in (0, -0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput, match="variance must be a share"):
            found.leading(variance, None)


@pytest.mark.parametrize("n", [2, 9])
def test_overflow_is_an_error(n) -> None:
    """Features whose variance overflows float64 are refused in one line."""
    rows = torch.full((n, 3), 1e200, dtype=torch.float64)
    rows[0] = 0

    with pytest.raises(InvalidInput, match="scale them down"):
        principal(rows)
