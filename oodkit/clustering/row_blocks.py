"""Rows that are read block by block, wherever they lie."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from oodkit.errors import InvalidInput

BLOCK_BYTES = 32 * 2**20


class Rows(Protocol):
    """(N, D) numbers of which some rows at a time can be had: an array, or what makes rows when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""

    def __getitem__(self, which: Any, /) -> NDArray[Any]:
        """The rows of a slice, or at some places."""


class UnitRows:
    """Rows scaled to length 1; a zero row stays zero."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.shape, self.dtype = rows.shape, rows.dtype

    def __getitem__(self, which: Any) -> NDArray[np.floating]:
        """The rows of a slice, or at some places."""
        rows = as_floats(self._rows[which])
        return unit(rows)


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows (B, D) scaled to length 1; a zero row stays zero."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / np.where(largest > 0, largest, 1)  # first, so that squares neither overflow nor vanish
    lengths = np.sqrt(np.square(scaled).sum(axis=1, keepdims=True, dtype=np.float64))
    found: NDArray[np.floating] = scaled / np.where(lengths > 0, lengths, 1).astype(scaled.dtype)
    return found


def as_floats(rows: NDArray[Any]) -> NDArray[np.floating]:
    """The rows in the dtype that they are clustered in: float64 stays, all else becomes float32."""
    return np.ascontiguousarray(rows, dtype=np.float64 if rows.dtype == np.float64 else np.float32)


def blocks(rows: Rows) -> Iterator[tuple[slice, NDArray[np.floating]]]:
    """All rows, block after block, and where each block lies."""
    count = max(1, BLOCK_BYTES // (8 * rows.shape[1]))
    for start in range(0, rows.shape[0], count):
        which = slice(start, min(start + count, rows.shape[0]))
        yield which, as_floats(rows[which])


def checked_blocks(rows: Rows) -> Iterator[tuple[slice, NDArray[np.floating]]]:
    """The same; raises InvalidInput for numbers that are not finite, or whose squares overflow."""
    for which, block in blocks(rows):
        if not np.isfinite(block).all():
            raise InvalidInput(f"features to cluster must be finite numbers of shape (N, D), got {rows.shape}")
        if np.abs(block).max() > np.sqrt(np.finfo(block.dtype).max / block.shape[1]) / 4:
            raise InvalidInput(f"features are too large: their squares overflow {block.dtype}; scale them down")
        yield which, block
