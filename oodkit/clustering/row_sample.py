"""Some of many rows, drawn by their values, so that the order of the rows does not matter."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oodkit.clustering.row_blocks import Rows, as_floats, checked_blocks
from oodkit.clustering.row_order import row_order
from oodkit.errors import TooFewSamples
from oodkit.progress import progress

PER_CLUSTER, AT_LEAST_PER_CLUSTER = 256, 20
LEAST, MOST = 20_000, 100_000


class RowSample(NamedTuple):
    """Different rows, in the order of their values, and how often each stands among all rows."""

    rows: NDArray[np.floating]  # (S, D)
    weights: NDArray[np.float64]  # (S,)


def row_sample(rows: Rows, clusters: int, seed: int) -> RowSample:
    """Draw rows to find starts for k-means on.

    Every row has a number that its values and the seed give; those with the smallest are drawn. Equal rows are drawn
    together, as one row with a weight.

    Args:
        rows: (N, D).
        clusters: K, of the k-means.
        seed: of the draw.

    Raises:
        InvalidInput: rows are not finite, or too large.
        TooFewSamples: there are fewer than K different rows.
    """
    keys = np.random.default_rng(seed).integers(2**64, size=2 * rows.shape[1], dtype=np.uint64) | np.uint64(1)
    numbers = np.empty(rows.shape[0], dtype=np.uint64)
    with progress("k-means, drawing rows", rows.shape[0], unit="rows") as advance:
        for which, block in checked_blocks(rows):
            words = (block + 0).view(np.uint32)  # + 0: -0 becomes 0
            numbers[which] = words.astype(np.uint64) @ keys[: words.shape[1]]
            advance(len(block))
    numbers ^= numbers >> np.uint64(32)  # a product's low bits do not depend on the values' high bits
    numbers *= np.uint64(0x9E3779B97F4A7C15)
    _, places, counts = np.unique(numbers, return_index=True, return_counts=True)
    if len(places) < clusters:
        raise TooFewSamples(f"clusters={clusters} needs as many different rows, found {len(places)}; lower clusters")
    size = min(max(LEAST, PER_CLUSTER * clusters), max(MOST, AT_LEAST_PER_CLUSTER * clusters))
    drawn = np.sort(places[:size])
    weights = counts[:size][np.argsort(places[:size])].astype(np.float64)
    sample = as_floats(rows[drawn])
    order = row_order(sample)
    return RowSample(sample[order], weights[order])
