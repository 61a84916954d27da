"""The ROC curve, for plots."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.metrics.scores import sorted_scores
from oodkit.metrics.thresholds import accepted_counts


def roc_curve(in_scores: ArrayLike, out_scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rates over all distinct thresholds, in-distribution being positive.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.

    Returns:
        Two (T + 1,) arrays for T distinct scores: share of OOD and of in-distribution images that are
        accepted. Both rise from 0 to 1; the trapezoidal area between them is the AUROC.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.
    """
    ordered_in, ordered_out = sorted_scores(in_scores, out_scores)
    accepted_in, accepted_out = accepted_counts(ordered_in, ordered_out)
    false_positive_rate = np.concatenate([[0], accepted_out]) / len(ordered_out)
    true_positive_rate = np.concatenate([[0], accepted_in]) / len(ordered_in)
    return false_positive_rate, true_positive_rate
