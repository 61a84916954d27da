"""Nearest neighbours found in bfloat16 and decided in float32: a proven bound leaves none of them out."""

from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.scorers.selection import GROUP

FLOAT32_STEP = 2.0**-24  # half the spacing of float32 at 1
BF16_STEP = 2.0**-8  # what rounding a product to bfloat16 may change, relatively
WORTH_IT = 0.5  # time of a bfloat16 product over float32 up to which the detour pays
MOST_CANDIDATES = 1 / 32  # share of the block beyond which the plain product is faster


@cache
def bf16_is_fast() -> bool:
    """Whether bfloat16 matrix products are much faster than float32 on this CPU; measured once, in about 0.1 s."""
    queries, rows = torch.ones(256, 768), torch.ones(4096, 768)
    return _fastest(queries.bfloat16(), rows.bfloat16()) < WORTH_IT * _fastest(queries, rows)


def _fastest(queries: Tensor, rows: Tensor) -> float:
    product = torch.empty(len(queries), len(rows), dtype=queries.dtype)
    seconds = []
    for _ in range(4):
        start = perf_counter()
        torch.mm(queries, rows.T, out=product)
        seconds.append(perf_counter() - start)
    return min(seconds)


@dataclass(frozen=True)
class HalfQueries:
    """Queries in bfloat16 with what their rounding changed.

    Attributes:
        rows: (B, D) bfloat16.
        norm, rounding: (B,) float64 lengths of the rows and of what rounding took away.
    """

    rows: Tensor
    norm: Tensor
    rounding: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> Self:
        """Round (B, D) float32 rows."""
        half, norm, rounding = _round(rows, torch.empty(rows.shape, dtype=torch.bfloat16))
        return cls(half, norm, rounding)

    def __getitem__(self, part: slice) -> "HalfQueries":
        """Some of the queries."""
        return HalfQueries(self.rows[part], self.norm[part], self.rounding[part])


@dataclass(frozen=True)
class HalfBlock:
    """Rows of a bank, exact and in bfloat16.

    Attributes:
        exact: (n, D) float32.
        rows: (n, D) bfloat16.
        norm, rounding: largest length of a row, exact or rounded, and of what rounding took away from one.
    """

    exact: Tensor
    rows: Tensor
    norm: float
    rounding: float

    @classmethod
    def of(cls, exact: Tensor, memory: Tensor | None = None) -> Self:
        """Round (n, D) float32 rows; into the beginning of `memory`, at least (n, D) bfloat16, where it is given."""
        half, norm, rounding = _round(
            exact, torch.empty(exact.shape, dtype=torch.bfloat16) if memory is None else memory
        )
        return cls(exact, half, float(norm.max() + rounding.max()), float(rounding.max()))

    def product(self, queries: HalfQueries, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Products in bfloat16 and how wrong they may be.

        Args:
            queries: (B, D) rounded queries.
            memory: bfloat16, at least B * n entries long, that the products may overwrite; None: new memory.

        Returns:
            Products p (B, n) and bounds e (B,), float64: the exact product is within e + BF16_STEP * |p| of p.
        """
        size = len(queries.rows), len(self.rows)
        out = None if memory is None else memory[: size[0] * size[1]].view(size)
        p = torch.mm(queries.rows, self.rows.T, out=out)
        longest_query = queries.norm + queries.rounding
        e = queries.rounding * self.norm + longest_query * self.rounding
        e += 2 * self.rows.shape[1] * FLOAT32_STEP * longest_query * self.norm
        return p, e

    def nearest(
        self, exact: Tensor, queries: HalfQueries, k: int, floor: Tensor, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor] | None:
        """The largest products of each query that can be among its k largest overall.

        What comes after the product is left to NumPy: on arrays this small, waiting for threads costs more than it
        saves.

        Args:
            exact: (B, D) float32 queries.
            queries: the same, rounded.
            k: how many are looked for.
            floor: (B,) the k-th largest product found in other blocks, -inf where there are fewer.
            memory: as for `product`.

        Returns:
            Products (B, m) in float32, m <= k, -inf where there are fewer, and row indices (B, m); None where the
            bound leaves too many rows to be worth it, or the block is too small.
        """
        groups = len(self.rows) // GROUP
        if groups < 4 * k or len(self.rows) % GROUP:
            return None
        p, e = self.product(queries, memory)
        grouped = p.view(-1, GROUP, groups)  # group j: columns j, j + groups, ...
        maxima = grouped.amax(dim=1).float().numpy()  # (B, groups)
        kth = np.partition(maxima, groups - k, axis=1)[:, groups - k].astype(np.float64)
        bound, rounding = e.numpy(), 2 * self.rows.shape[1] * FLOAT32_STEP * self.norm
        lower = np.maximum(kth - BF16_STEP * np.abs(kth) - bound, floor.numpy() - rounding)
        least = lower - bound - rounding  # a product is at most p + BF16_STEP * |p| + bound
        least = (least / np.where(least > 0, 1 + BF16_STEP, 1 - BF16_STEP)).astype(np.float32)
        query, group = np.nonzero(maxima >= least[:, None])
        if len(query) > MOST_CANDIDATES * p.numel():
            return None
        bits = grouped.view(torch.int16).numpy()[query, :, group].view(np.uint16)  # (pairs, GROUP)
        near = np.left_shift(bits, 16, dtype=np.uint32).view(np.float32) >= least[query, None]
        pair, offset = np.nonzero(near)
        if len(pair) > MOST_CANDIDATES * p.numel():
            return None
        return _decide(exact.numpy(), self.exact.numpy(), query[pair], group[pair] + offset * groups, k)


def _decide(
    queries: NDArray[np.float32], rows: NDArray[np.float32], query: NDArray[np.intp], column: NDArray[np.intp], k: int
) -> tuple[Tensor, Tensor]:
    """The k largest float32 products of each query with its candidates: pairs, in order of query."""
    counts = np.bincount(query, minlength=len(queries))
    ends = np.cumsum(counts)
    shape = len(queries), min(k, int(counts.max(initial=0)))
    values, columns = np.full(shape, -np.inf, dtype=np.float32), np.zeros(shape, dtype=np.int64)
    for i in np.flatnonzero(counts):
        mine = column[ends[i] - counts[i] : ends[i]]
        products = rows.take(mine, axis=0) @ queries[i]
        if counts[i] > k:
            best = np.argpartition(products, -k)[-k:]
            products, mine = products[best], mine[best]
        values[i, : len(mine)], columns[i, : len(mine)] = products, mine
    return torch.from_numpy(values), torch.from_numpy(columns)


def _round(rows: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows in bfloat16, in `memory`, and (N,) float64 lengths of the rows and of what rounding took away."""
    half = memory[: len(rows)]
    roundings = []
    for part, rounded in zip(torch.split(rows, 4096), torch.split(half, 4096), strict=True):
        rounded.copy_(part)
        roundings.append(torch.linalg.vector_norm(part - rounded, dim=1))
    return half, torch.linalg.vector_norm(rows, dim=1).double(), torch.cat(roundings).double()
