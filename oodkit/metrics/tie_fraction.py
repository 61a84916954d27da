"""Share of in/out pairs that the scores cannot order."""

import numpy as np
from numpy.typing import ArrayLike

from oodkit.metrics.scores import sorted_scores


def tie_fraction(in_scores: ArrayLike, out_scores: ArrayLike) -> float:
    """Share of in/out pairs with equal scores; worth a word where it exceeds about 0.001.

    Many ties point to scores that saturate, such as a softmax maximum in float32.

    Args:
        in_scores: (N,) scores of in-distribution images.
        out_scores: (M,) scores of OOD images.

    Returns:
        A fraction in [0, 1].

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.
    """
    ordered_in, ordered_out = sorted_scores(in_scores, out_scores)
    below = np.searchsorted(ordered_out, ordered_in, side="left")
    not_above = np.searchsorted(ordered_out, ordered_in, side="right")
    return int((not_above - below).sum(dtype=np.int64)) / (len(ordered_in) * len(ordered_out))
