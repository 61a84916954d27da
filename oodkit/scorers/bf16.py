"""Nearest neighbours found in bfloat16 and decided in float32: a proven bound leaves none of them out."""

from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Self

import numpy as np
import torch
from torch import Tensor

from oodkit.scorers.selection import GROUP, largest

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
        norm, rounding: (B,) float64 lengths of the rounded rows and of what rounding took away.
    """

    rows: Tensor
    norm: Tensor
    rounding: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> Self:
        """Round (B, D) float32 rows."""
        half, norm, rounding = _round(rows)
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
        norm, rounding: largest length of an exact row, and of what rounding took away from one.
    """

    exact: Tensor
    rows: Tensor
    norm: float
    rounding: float

    @classmethod
    def of(cls, exact: Tensor) -> Self:
        """Round (n, D) float32 rows."""
        half, norm, rounding = _round(exact)
        longest = float(norm.max() + rounding.max())
        return cls(exact, half, longest, float(rounding.max()))

    def product(self, queries: HalfQueries) -> tuple[Tensor, Tensor]:
        """Products in bfloat16 and how wrong they may be.

        Returns:
            Products p (B, n) and bounds e (B,), float64: the exact product is within e + BF16_STEP * |p| of p.
        """
        p = queries.rows @ self.rows.T
        longest_query = queries.norm + queries.rounding
        e = queries.rounding * self.norm + queries.norm * self.rounding
        e += 2 * self.rows.shape[1] * FLOAT32_STEP * longest_query * self.norm
        return p, e

    def nearest(self, exact: Tensor, queries: HalfQueries, k: int, floor: Tensor) -> tuple[Tensor, Tensor] | None:
        """The largest products of each query that can be among its k largest overall.

        Args:
            exact: (B, D) float32 queries.
            queries: the same, rounded.
            k: how many are looked for.
            floor: (B,) the k-th largest product found in other blocks, -inf where there are fewer.

        Returns:
            Products (B, m) in float32, -inf where there are fewer than m, and row indices (B, m); None where the
            bound leaves too many rows to be worth it.
        """
        n = len(self.rows)
        groups = n // GROUP
        if groups < 4 * k:
            return None
        p, e = self.product(queries)
        grouped = p[:, : groups * GROUP].view(-1, GROUP, groups)
        maxima = grouped.amax(dim=1).float()
        kth = largest(maxima, k)[0].amin(dim=1).double()
        slack = 2 * self.rows.shape[1] * FLOAT32_STEP * self.norm
        lower = torch.maximum(kth - BF16_STEP * kth.abs() - e, floor.double() - slack)
        least = lower - e
        least = least / torch.where(least > 0, 1 + BF16_STEP, 1 - BF16_STEP) - slack  # p below it cannot reach lower
        least = least.float()
        query, group = (maxima >= least[:, None]).nonzero(as_tuple=True)
        pair, offset = (grouped[query, :, group] >= least[query, None]).nonzero(as_tuple=True)
        rest_query, rest = (p[:, groups * GROUP :] >= least[:, None]).nonzero(as_tuple=True)
        query = torch.cat([query[pair], rest_query])
        column = torch.cat([group[pair] + offset * groups, rest + groups * GROUP])
        if len(query) > MOST_CANDIDATES * p.numel():
            return None
        return _products(exact, self.exact, query, column)


def _products(queries: Tensor, rows: Tensor, query: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Float32 products of P pairs as (B, m) values and columns, m the most pairs of one query, padded with -inf."""
    order = query.argsort(stable=True)
    column_of = column[order].numpy()
    counts = np.bincount(query.numpy(), minlength=len(queries))
    ends = np.cumsum(counts)
    values = np.full((len(queries), int(counts.max(initial=0))), -np.inf, dtype=np.float32)
    columns = np.zeros(values.shape, dtype=np.int64)
    for i in np.flatnonzero(counts):
        mine = column_of[ends[i] - counts[i] : ends[i]]
        values[i, : counts[i]] = rows.numpy()[mine] @ queries[i].numpy()
        columns[i, : counts[i]] = mine
    return torch.from_numpy(values), torch.from_numpy(columns)


def _round(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows in bfloat16, their lengths, and the lengths of what rounding took away, (N,) float64."""
    half = torch.empty(rows.shape, dtype=torch.bfloat16)
    norms, roundings = [], []
    for part, rounded in zip(torch.split(rows, 2048), torch.split(half, 2048), strict=True):
        rounded.copy_(part)
        norms.append(torch.linalg.vector_norm(rounded.float(), dim=1))
        roundings.append(torch.linalg.vector_norm(part - rounded.float(), dim=1))
    return half, torch.cat(norms).double(), torch.cat(roundings).double()
