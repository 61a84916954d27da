"""A perceptual hash that survives re-encoding, resizing and small changes of light, and knows mirror images."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from oodkit.progress import progress

BITS = 63
_SIDE = 8  # of the square of lowest frequencies
_BLOCK_BYTES = 2**26

# Mirroring an image changes the sign of its odd horizontal frequencies.
_MIRRORED = np.tile(np.where(np.arange(_SIDE) % 2 == 1, -1, 1), _SIDE)[1:].astype(np.float32)


def perceptual_hash(thumbs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S) grey images -> (N, 63) signs, 1 or -1, of the lowest frequencies of the cosine transform but the mean.

    The number of signs in which two images differ is their distance: 0 for copies, about 31 for unrelated images.
    """
    signs = np.empty((len(thumbs), BITS), dtype=np.float32)
    for start in range(0, len(thumbs), 4096):
        block = thumbs[start : start + 4096].astype(np.float32)
        low = dctn(block, axes=(1, 2), norm="ortho")[:, :_SIDE, :_SIDE].reshape(len(block), -1)[:, 1:]
        signs[start : start + len(block)] = np.where(low > 0, 1, -1)
    return signs


def near_hashes(
    a: NDArray[np.float32], b: NDArray[np.float32], radius: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Every pair of rows whose distance is at most `radius`, as it is or with one image mirrored; exact, in blocks.

    Args:
        a: (N, 63) signs.
        b: (M, 63) signs.
        radius: 0 to 63.

    Yields:
        Rows of `a`, rows of `b` and distances, (P,) each.
    """
    rows = max(1, _BLOCK_BYTES // (4 * max(1, len(b))))
    least = BITS - 2 * radius  # of the inner product of signs, which is 63 minus twice the distance
    with progress("comparing images", len(a)) as advance:
        for start in range(0, len(a), rows):
            block = a[start : start + rows]
            product = np.maximum(block @ b.T, (block * _MIRRORED) @ b.T)
            left, right = np.nonzero(product >= least)
            yield left + start, right, (BITS - product[left, right].astype(np.int64)) // 2
            advance(len(block))
