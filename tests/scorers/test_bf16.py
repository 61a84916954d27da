import numpy as np
import pytest
import torch

from oodkit.scorers import bf16
from oodkit.scorers.bf16 import BF16_STEP, HalfBlock, HalfQueries, bf16_is_fast
from oodkit.scorers.unit_rows import unit_rows


def rows(count: int, seed: int, width: int = 96, clustered: bool = False) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, width, generator=generator)
    return unit_rows(x + 3 if clustered else x)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("width", [1, 7, 96, 768])
def test_products_are_within_their_bound(clustered, width) -> None:
    """The exact product, in float64, is never further from the bfloat16 one than the bound says."""
    queries, bank = rows(20, 0, width, clustered), rows(300, 1, width, clustered)

    product, error = HalfBlock.of(bank).product(HalfQueries.of(queries))

    exact = queries.double() @ bank.double().T
    allowed = error[:, None] + BF16_STEP * product.double().abs()
    assert ((product.double() - exact).abs() <= allowed).all()


def test_the_bound_is_of_use() -> None:
    """The bound is small enough to leave few candidates; a bound that is always true would pass the test above."""
    _, error = HalfBlock.of(rows(300, 1)).product(HalfQueries.of(rows(20, 0)))

    assert error.max() < 0.01


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("count", [640, 1024])
def test_none_of_the_nearest_is_left_out(monkeypatch, clustered, k, count) -> None:
    """What is found are the k nearest of a plain float64 search, with their float32 products."""
    monkeypatch.setattr(bf16, "MOST_CANDIDATES", 1)  # however many they are
    queries, bank = rows(50, 0, clustered=clustered), rows(count, 1, clustered=clustered)
    floor = torch.full((50,), -torch.inf)

    found = HalfBlock.of(bank).nearest(queries, HalfQueries.of(queries), k, floor)

    exact = queries.double() @ bank.double().T
    assert found is not None
    for i, (values, columns) in enumerate(zip(*found, strict=True)):
        assert set(columns.tolist()) == set(exact[i].topk(k).indices.tolist())
        np.testing.assert_allclose(values, exact[i, columns], atol=1e-6)


UNIT = 2.0**-7  # spacing of bfloat16 at 1


def nearest_of_two(queries: torch.Tensor, best: torch.Tensor, other: torch.Tensor) -> int:
    """Which of two rows, among zeros, is found to be the nearest."""
    bank = torch.zeros(64, queries.shape[1])
    bank[0], bank[1] = best, other
    product, _ = HalfBlock.of(bank).product(HalfQueries.of(queries))
    assert queries[0].double() @ best.double() > queries[0].double() @ other.double()
    assert product[0, 0] < product[0, 1], "bfloat16 must get this pair wrong, or the test tests nothing"
    _, columns = HalfBlock.of(bank).nearest(queries, HalfQueries.of(queries), 1, torch.tensor([-torch.inf]))
    return int(columns)


def test_rounding_of_rows_at_its_worst_is_allowed_for(monkeypatch) -> None:
    """All entries are rounded against the better row and in favour of the other, by nearly half a unit each."""
    monkeypatch.setattr(bf16, "MOST_CANDIDATES", 1)
    queries = torch.cat([torch.ones(65), -torch.ones(64)])[None]
    down, up = torch.full((64,), 1 + 0.498 * UNIT), torch.full((64,), 1 + 0.502 * UNIT)

    best, other = torch.cat([down, torch.tensor([UNIT]), up]), torch.cat([up, torch.tensor([0.0]), down])

    assert nearest_of_two(queries, best, other) == 0


def test_rounding_of_products_at_its_worst_is_allowed_for(monkeypatch) -> None:
    """The products, 128.485 and 128.516 from rounded rows, become 128 and 129; exactly, the former is the larger."""
    monkeypatch.setattr(bf16, "MOST_CANDIDATES", 1)
    same = torch.cat([torch.ones(124), torch.tensor([31 / 64])])
    down, up = torch.full((4,), 1 + 0.49 * UNIT), torch.full((4,), 1 + 0.51 * UNIT)

    best, other = torch.cat([same, down, torch.tensor([UNIT / 8])]), torch.cat([same, up, torch.tensor([0.0])])

    assert nearest_of_two(torch.ones(1, 130), best, other) == 0


def test_a_floor_leaves_out_what_cannot_reach_it() -> None:
    """Rows that are below the k-th product found elsewhere are not looked at again."""
    queries, bank = rows(50, 0), rows(1024, 1)

    values, _ = HalfBlock.of(bank).nearest(queries, HalfQueries.of(queries), 1, torch.full((50,), 0.99))

    assert values.shape == (50, 0)


def test_too_many_candidates_are_refused() -> None:
    """Where all rows are alike the bound decides nothing, and the plain product is the better way."""
    queries, bank = rows(10, 0), rows(1, 1).expand(1024, -1)

    assert HalfBlock.of(bank).nearest(queries, HalfQueries.of(queries), 1, torch.full((10,), -torch.inf)) is None


def test_blocks_it_is_not_made_for_are_refused() -> None:
    """A block without whole groups of rows, or with few groups for so many neighbours, is left to the plain product."""
    queries = rows(10, 0)
    for count, k in ((1023, 1), (1024, 40)):
        floor = torch.full((10,), -torch.inf)
        assert HalfBlock.of(rows(count, 1)).nearest(queries, HalfQueries.of(queries), k, floor) is None


def test_speed_is_measured_once(monkeypatch) -> None:
    """The answer is a measurement, and is remembered for the life of the process."""
    seconds = {torch.bfloat16: 0.1, torch.float32: 1.0}
    calls = []
    monkeypatch.setattr(bf16, "_fastest", lambda queries, rows: calls.append(1) or seconds[queries.dtype])
    bf16_is_fast.cache_clear()
    try:
        assert bf16_is_fast()
        seconds[torch.bfloat16] = 1.0
        assert bf16_is_fast()
        assert len(calls) == 2
        bf16_is_fast.cache_clear()
        assert not bf16_is_fast()
    finally:
        bf16_is_fast.cache_clear()
