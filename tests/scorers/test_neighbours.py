import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from oodkit.scorers import neighbours
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.selection import GROUP
from oodkit.scorers.unit_rows import unit_rows


def rows(count: int, seed: int, width: int = 24, clustered: bool = True) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(10, width, generator=torch.Generator().manual_seed(9))
    x = torch.randn(count, width, generator=generator)
    return x + 2 * centres[torch.randint(10, (count,), generator=generator)] if clustered else x


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks and several parts of queries even for small data."""
    monkeypatch.setattr(neighbours, "BLOCK_BYTES", 4 * 24 * 700)
    monkeypatch.setattr(neighbours, "QUERIES", 16)


@pytest.mark.parametrize("bf16", [False, True, None])
@pytest.mark.parametrize("k", [1, 4, 40, 1500, 2003])
def test_neighbours_are_those_of_scikit_learn(small_blocks, bf16, k) -> None:
    """Distances agree with brute force in float64, and so do the neighbours, in any way of searching."""
    features, queries = rows(2003, 0), rows(70, 1)
    brute = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="cosine").fit(features.double().numpy())
    distance, index = brute.kneighbors(queries.double().numpy())

    values, found = Bank.of(features).nearest(unit_rows(queries), k, bf16)

    np.testing.assert_allclose(1 - values.numpy(), distance, atol=1e-6)
    assert [set(row) for row in found.tolist()] == [set(row) for row in index.tolist()]


@pytest.mark.parametrize("k", [1, 5, 50])
def test_bf16_finds_the_same_at_size(k) -> None:
    """Searching in bfloat16 changes nothing on a bank of many blocks, random or clustered."""
    for clustered in (False, True):
        bank = Bank.of(rows(40_000, 0, width=256, clustered=clustered))
        queries = unit_rows(rows(300, 1, width=256, clustered=clustered))

        plain, where = bank.nearest(queries, k, bf16=False)
        half, where_half = bank.nearest(queries, k, bf16=True)

        torch.testing.assert_close(half, plain, atol=1e-6, rtol=0)
        differ = (where.sort().values != where_half.sort().values).any(dim=1)
        products = (queries.double() @ bank.rows.double().T).topk(k + 1).values
        ties = products[:, k - 1] - products[:, k] < 1e-6
        assert not (differ & ~ties).any()


def test_products_come_in_descending_order(small_blocks) -> None:
    """The nearest comes first, though it may stand in any block."""
    values, _ = Bank.of(rows(2003, 0)).nearest(unit_rows(rows(70, 1)), 7)

    assert (values.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("width", [1, 8, 768, 10**6])
def test_products_held_at_once_are_bounded(width) -> None:
    """Whatever the width, a block is some whole groups of rows, and its products with the queries take 64 MiB."""
    count = neighbours._rows_per_block(width)

    assert count % GROUP == 0
    assert count >= GROUP
    assert count * neighbours.QUERIES * 4 <= 64 * 2**20


def test_few_results_are_kept_at_once(monkeypatch) -> None:
    """A k so large that the results outgrow their memory is searched in several passes, with the same result."""
    bank, queries = Bank.of(rows(500, 0)), unit_rows(rows(20, 1))
    whole = bank.nearest(queries, 100)
    monkeypatch.setattr(neighbours, "RESULT_BYTES", 12 * 100 * 3)

    torch.testing.assert_close(bank.nearest(queries, 100), whole)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bf16", [False, True])
def test_half_precision_rows_are_searched_as_they_are(small_blocks, dtype, bf16) -> None:
    """A half-precision bank keeps its dtype and length; products are those of its values scaled to length 1."""
    features, queries = (5 * rows(2003, 0)).to(dtype), unit_rows(rows(70, 1))

    bank = Bank.of(features)
    values, index = bank.nearest(queries, 3, bf16)

    expected, where = Bank.of(features.float()).nearest(queries, 3, bf16=False)
    assert bank.rows.dtype == dtype
    torch.testing.assert_close(values, expected, atol=1e-6, rtol=0)
    assert (index == where).all()


def test_a_mapped_bank_is_not_copied(small_blocks) -> None:
    """Rows in a mapped file are referred to, whatever their dtype; zero rows give products of 0."""
    features = rows(2003, 0).double()
    features[5] = 0

    bank = Bank.of(features, mapped=True)

    assert bank.rows is features
    torch.testing.assert_close(
        bank.nearest(unit_rows(rows(9, 1)), 2), Bank.of(features).nearest(unit_rows(rows(9, 1)), 2)
    )
    assert bank.scale[5] == 0


def test_gradients_are_those_of_the_products_found() -> None:
    """The search has no graph; the products found get one: with respect to the query the gradient is the row."""
    bank, queries = Bank.of(rows(200, 0)), unit_rows(rows(3, 1)).requires_grad_(True)

    values, index = bank.nearest(queries, 2)
    values[:, 1].sum().backward()

    torch.testing.assert_close(queries.grad, bank.rows[index[:, 1]])
    assert not bank.nearest(queries.detach(), 2)[0].requires_grad


def test_float64_queries_give_float64_products() -> None:
    """Products have the dtype of the queries and its precision."""
    bank, queries = Bank.of(rows(200, 0)), unit_rows(rows(3, 1).double())

    values, index = bank.nearest(queries, 1)

    exact = (queries @ bank.rows.double().T).max(dim=1)
    torch.testing.assert_close(values[:, 0], exact.values, rtol=1e-14, atol=1e-14)
    assert (index[:, 0] == exact.indices).all()
