"""Exact search for the rows of a bank with the largest cosine, in memory that does not grow with bank or queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from oodkit.scorers.bf16 import HalfBlock, HalfQueries, bf16_is_fast
from oodkit.scorers.rows import floating
from oodkit.scorers.selection import GROUP, largest, merge_largest
from oodkit.scorers.unit_rows import inverse_norms, unit_rows

BLOCK_BYTES = 48 * 2**20  # float32 rows of the bank that are worked on at once
BLOCK_ROWS = 2**14  # and at most so many of them
QUERIES = 1024  # queries per matrix product
RESULT_BYTES = 32 * 2**20  # values and indices that are kept for one pass over the bank
BF16_QUERIES = 1024  # fewer queries do not repay rounding the bank
BF16_PRODUCTS = 10**10  # scalar products of a search that is worth a look at how fast bf16 is


@dataclass(frozen=True)
class Bank:
    """Rows to search among.

    Attributes:
        rows: (N, D) float32 rows of length 1, or rows as they are stored, of any floating dtype.
        scale: (N,) what each stored row must be multiplied by to have length 1; None where `rows` have it.
    """

    rows: Tensor  # (N, D)
    scale: Tensor | None = None  # (N,)

    @classmethod
    def of(cls, features: Tensor, mapped: bool = False) -> Self:
        """A bank of features.

        Args:
            features: (N, D). float16 and bfloat16 keep their dtype; all else becomes float32 unit rows.
            mapped: whether they lie in a memory-mapped file, which is then searched where it is.
        """
        per_part = _rows_per_block(features.shape[1])
        if mapped or features.element_size() < 4:
            norms = [inverse_norms(floating(part)) for part in torch.split(features, per_part)]
            return cls(features if mapped else features.clone(), torch.cat(norms))
        rows = torch.empty(features.shape, dtype=torch.float32, device=features.device)
        for part, unit in zip(torch.split(features, per_part), torch.split(rows, per_part), strict=True):
            unit.copy_(unit_rows(part))
        return cls(rows)

    def nearest(self, queries: Tensor, k: int, bf16: bool | None = None) -> tuple[Tensor, Tensor]:
        """The k largest inner products of each query with the rows, and where they are.

        The search itself has no graph; where the queries require gradients, the products found are computed again
        with one.

        Args:
            queries: (B, D) unit rows, float32 or float64, on the device of the bank; products have their dtype.
            k: 1 <= k <= N.
            bf16: search in bfloat16 and decide in float32, with the same result; None: where a short measurement
                on this machine says that it is faster.

        Returns:
            Products (B, k) in descending order and row indices (B, k), int64.
        """
        assert 1 <= k <= len(self.rows), "k must be within the bank"
        per_pass = max(1, RESULT_BYTES // (12 * k))
        if bf16 is None:
            enough = min(len(queries), per_pass) >= BF16_QUERIES
            enough = enough and len(queries) * self.rows.numel() >= BF16_PRODUCTS
            on_cpu = queries.device.type == "cpu" and queries.dtype == torch.float32
            bf16 = on_cpu and enough and bf16_is_fast()
        with torch.no_grad():
            passes = [self._search(part, k, bf16) for part in torch.split(queries.detach(), per_pass)]
            values, order = torch.cat([value for value, _ in passes]).sort(dim=1, descending=True)
            indices = torch.cat([index for _, index in passes]).gather(1, order)
        if torch.is_grad_enabled() and queries.requires_grad:
            chosen = self._unit(indices.flatten(), queries.new_empty(indices.numel(), queries.shape[1]))
            values = (chosen.view(*indices.shape, -1) * queries[:, None, :]).sum(dim=2)
        return values, indices

    def unit_blocks(self, dtype: torch.dtype) -> Iterator[tuple[int, Tensor]]:
        """All rows with length 1, block after block: the place of each block's first row, and the block.

        A block may be overwritten by the next one: use it before asking for more.

        Args:
            dtype: float32 or float64, of the blocks.
        """
        per_block = _rows_per_block(self.rows.shape[1])
        # Memory that is filled again and again: fresh memory for each block costs time, and twice the room.
        most = 0 if self._is_ready(dtype) else min(per_block, len(self.rows))
        memory = torch.empty(most, self.rows.shape[1], dtype=dtype, device=self.rows.device)
        for rows in _blocks(len(self.rows), per_block):
            yield rows.start, self.rows[rows] if self._is_ready(dtype) else self._unit(rows, memory)

    def _search(self, queries: Tensor, k: int, bf16: bool) -> tuple[Tensor, Tensor]:
        values = queries.new_full((len(queries), k), -torch.inf)
        indices = torch.zeros(len(queries), k, dtype=torch.int64, device=queries.device)
        most = min(_rows_per_block(queries.shape[1]), len(self.rows))
        product = queries.new_empty(min(QUERIES, len(queries)) * most)
        half_cast = queries.new_empty(most if bf16 else 0, queries.shape[1], dtype=torch.bfloat16)
        half_product = queries.new_empty(len(product) if bf16 else 0, dtype=torch.bfloat16)
        half_queries = HalfQueries.of(queries) if bf16 else None
        for start, block in self.unit_blocks(queries.dtype):
            half_block = None if half_queries is None else HalfBlock.of(block, half_cast)
            for first in range(0, len(queries), QUERIES):
                part = slice(first, first + QUERIES)
                found = None
                if half_block is not None and half_queries is not None:
                    floor = values[part].amin(dim=1)
                    found = half_block.nearest(queries[part], half_queries[part], k, floor, half_product)
                if found is None:
                    half_queries = None  # what does not pay once does not pay again
                    out = product[: len(queries[part]) * len(block)].view(-1, len(block))
                    found = largest(torch.mm(queries[part], block.T, out=out), k)
                merge_largest(values[part], indices[part], found[0], found[1] + start)
        return values, indices

    def _is_ready(self, dtype: torch.dtype) -> bool:
        """Whether the rows can be multiplied with queries of this dtype as they are."""
        return self.scale is None and self.rows.dtype == dtype

    def _unit(self, which: slice | Tensor, memory: Tensor) -> Tensor:
        """Some rows with length 1, written to the beginning of `memory`, in its dtype."""
        rows = self.rows[which]
        unit = memory[: len(rows)]
        if self.scale is None:
            return unit.copy_(rows)
        return torch.mul(rows, self.scale[which, None].to(floating(rows[:0]).dtype), out=unit)


def _rows_per_block(width: int) -> int:
    return min(BLOCK_ROWS, max(GROUP, BLOCK_BYTES // (4 * width * GROUP) * GROUP))


def _blocks(count: int, size: int) -> Iterator[slice]:
    """Blocks of whole groups of rows, then the few rows that fill no group."""
    whole = count - count % GROUP
    for start in range(0, whole, size):
        yield slice(start, min(start + size, whole))
    if whole < count:
        yield slice(whole, count)
