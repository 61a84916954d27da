"""Where the scores of one side stand among those of the other: the integers behind AUROC and DeLong."""

import numpy as np
from numpy.typing import NDArray

from oodkit.metrics.scores import Scores


def doubled_placements(scores: Scores, others: Scores) -> NDArray[np.int64]:
    """For each score, the number of pairs won against `others` counted twice plus the number tied.

    Args:
        scores: (N,) in any order.
        others: (M,) ascending, of the same dtype.

    Returns:
        (N,) integers in [0, 2M], in the order of `scores`; doubled, so that half a win for a tie is exact.
    """
    below = np.searchsorted(others, scores, side="left")
    not_above = np.searchsorted(others, scores, side="right")
    return np.add(below, not_above, dtype=np.int64)


def total(placements: NDArray[np.int64]) -> int:
    """The sum, exact up to 2^63: two thousand million scores on each side."""
    return int(placements.sum(dtype=np.int64))
