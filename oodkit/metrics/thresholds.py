"""What each threshold accepts: the integers behind every curve."""

import numpy as np
from numpy.typing import NDArray

from oodkit.metrics.scores import Scores


def accepted_counts(positives: Scores, negatives: Scores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many positives and negatives score at least as high as each distinct score.

    No point is left out, collinear or not, and a group of ties enters as a whole.

    Args:
        positives: (N,) ascending.
        negatives: (M,) ascending, of the same dtype.

    Returns:
        Two (T,) arrays of counts for the T distinct scores from the highest to the lowest; they end in N and M.
    """
    thresholds = np.unique(np.concatenate([positives, negatives]))
    accepted_positives = len(positives) - np.searchsorted(positives, thresholds, side="left")
    accepted_negatives = len(negatives) - np.searchsorted(negatives, thresholds, side="left")
    return accepted_positives[::-1].astype(np.int64), accepted_negatives[::-1].astype(np.int64)
