"""Lloyd's algorithm over rows that are read block by block, the same whatever their order."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from oodkit.clustering.row_blocks import Rows, blocks, unit
from oodkit.errors import TooFewSamples
from oodkit.progress import progress

PRODUCT_BYTES = 32 * 2**20
SURE = 1e-12  # of a product's size: what float64 cannot tell apart


def lloyd(
    rows: Rows, centres: NDArray[np.float64], passes: int, tolerance: float, *, spherical: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Assign rows to the nearest centre and move the centres to their rows' means, again and again.

    Args:
        rows: (N, D) finite numbers; of length 1 if spherical.
        centres: (K, D) to start from.
        passes: at most so many over all rows, at least 1.
        tolerance: centres have settled when the squares of what they move sum to at most this; no row changes its
            cluster where it is 0.
        spherical: whether centres are scaled to length 1.

    Returns:
        (N,) clusters, and the (K, D) means of their rows, or directions of these.

    Raises:
        TooFewSamples: clusters stay empty, since too few rows differ.
    """
    assignments = np.full(rows.shape[0], -1, dtype=np.int64)
    origin = np.zeros(rows.shape[1]) if spherical else centres.mean(axis=0)
    grid = _grid(rows, origin)
    with progress(f"k-means, {len(centres):,} clusters", passes * rows.shape[0], unit="rows") as advance:
        done = 0
        while True:
            nearest = _Nearest(centres - origin)
            sums, counts, moved = np.zeros_like(centres), np.zeros(len(centres)), False
            for which, block in blocks(rows):
                block = block - origin.astype(block.dtype)
                found = nearest.to(block)
                moved |= not np.array_equal(assignments[which], found)
                assignments[which] = found
                sums += _sums(block, found, len(centres), grid)
                counts += np.bincount(found, minlength=len(centres))
                advance(len(block))
            done += 1
            empty = np.flatnonzero(counts == 0)
            means = sums / np.maximum(counts, 1)[:, None] + origin
            means = unit(means).astype(np.float64) if spherical else means
            if len(empty):
                if done >= passes + len(centres):
                    found_clusters = len(centres) - len(empty)
                    raise TooFewSamples(
                        f"clusters={len(centres)} needs as many different rows, found {found_clusters}; lower clusters"
                    )
                means[empty] = _farthest(rows, means, assignments, len(empty))
            shift = float(np.square(means - centres).sum())
            centres = means
            if not len(empty) and (done >= passes or not moved or (tolerance > 0 and shift <= tolerance)):
                return assignments, centres


class _Nearest:
    """The nearest of some centres: by a product of the rows' precision, and where that leaves doubt, in float64."""

    def __init__(self, centres: NDArray[np.float64]) -> None:
        self._exact = torch.from_numpy(centres)
        self._half_squares = self._exact.square().sum(dim=1) / 2
        self._length = float(self._half_squares.max() * 2) ** 0.5

    def to(self, block: NDArray[np.floating]) -> NDArray[np.int64]:
        """(B,) clusters of the rows of a block."""
        rows = torch.from_numpy(block)
        centres, half_squares = self._exact.to(rows.dtype), self._half_squares.to(rows.dtype)
        per_part = max(1, PRODUCT_BYTES // (len(centres) * 8))
        found = []
        for part in torch.split(rows, per_part):
            products = torch.addmm(half_squares, part, centres.T, beta=-1)
            largest, chosen = products.max(dim=1)
            second = products.scatter_(1, chosen[:, None], -torch.inf).amax(dim=1)
            size = torch.linalg.vector_norm(part, dim=1) * self._length + self._length**2
            doubtful = largest - second <= 2 * (part.shape[1] + 2) * torch.finfo(part.dtype).eps * size
            if bool(doubtful.any()):
                chosen[doubtful] = self._decide(part[doubtful].double(), size[doubtful].double())
            found.append(chosen)
        nearest: NDArray[np.int64] = torch.cat(found).numpy()
        return nearest

    def _decide(self, rows: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """The first of the centres that are as near as any, as far as float64 can tell."""
        products = torch.addmm(self._half_squares, rows, self._exact.T, beta=-1)
        return (products >= (products.amax(dim=1) - SURE * size)[:, None]).int().argmax(dim=1)


def _grid(rows: Rows, origin: NDArray[np.float64]) -> float:
    """A step of which sums of N multiples are exact in float64, in any order."""
    largest = max(float(np.abs(block - origin.astype(block.dtype)).max()) for _, block in blocks(rows))
    return math.ldexp(1.0, math.frexp(max(largest, 1e-300) * 2 * rows.shape[0])[1] - 52)


def _sums(block: NDArray[np.floating], of: NDArray[np.int64], count: int, grid: float) -> NDArray[np.float64]:
    """(K, D) sums of the rows of each cluster, each number rounded to the grid."""
    magnet = 1.5 * 2**52 * grid
    exact = block.astype(np.float64)
    exact += magnet
    exact -= magnet
    members = csr_array((np.ones(len(of)), (of, np.arange(len(of)))), shape=(count, len(of)))
    return np.asarray(members @ exact)


def _farthest(rows: Rows, centres: NDArray[np.float64], of: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """The rows that are farthest from their centres, to take the place of empty clusters."""
    distances = np.concatenate([np.square(block - centres[of[which]]).sum(axis=1) for which, block in blocks(rows)])
    places = np.argsort(-distances, kind="stable")[:count]
    return np.asarray(rows[places], dtype=np.float64)
