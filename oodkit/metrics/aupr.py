"""Area under the precision-recall curve."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput
from oodkit.metrics.scores import Scores, Side, by_positive, sorted_scores
from oodkit.metrics.thresholds import accepted_counts


def aupr(
    in_scores: ArrayLike,
    out_scores: ArrayLike,
    *,
    positive: Side,
    method: Literal["average_precision", "trapezoid"] = "average_precision",
) -> float:
    """Area under the precision-recall curve for the side that is to be found.

    It depends on the share of positives, so it compares only between pairs of equal sizes.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.
        positive: "in" finds in-distribution images from the highest score down (AUPR-IN), "out" finds OOD
            images from the lowest score up (AUPR-OUT).
        method: "average_precision" is the sum of precision times step in recall; "trapezoid" interpolates
            linearly from precision 1 at recall 0, which flatters coarse scores but reproduces OpenOOD.

    Returns:
        A fraction in (0, 1]. For constant scores average precision is the share of positives.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers, or
            `positive` or `method` is not one of its values.

    Source: Davis and Goadrich, ICML 2006 (why not to interpolate linearly).
    """
    ordered_in, ordered_out = sorted_scores(in_scores, out_scores)
    positives, negatives = by_positive(ordered_in, ordered_out, positive)
    if method == "average_precision":
        return average_precision(positives, negatives)
    if method == "trapezoid":
        return _trapezoid(positives, negatives)
    raise InvalidInput(f"method must be 'average_precision' or 'trapezoid', got {method!r}")


def average_precision(positives: Scores, negatives: Scores) -> float:
    """Precision averaged over the positives, of scores that are checked and ascending."""
    true, false = accepted_counts(positives, negatives)
    return float((np.diff(true, prepend=0) * (true / (true + false))).sum()) / len(positives)


def _trapezoid(positives: Scores, negatives: Scores) -> float:
    true, false = accepted_counts(positives, negatives)
    precision = np.concatenate([[1.0], true / (true + false)])
    recall = np.concatenate([[0], true]) / len(positives)
    return float((np.diff(recall) * (precision[1:] + precision[:-1])).sum()) / 2
