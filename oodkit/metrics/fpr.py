"""False positive rate at a true positive rate, in either convention."""

from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput
from oodkit.metrics.scores import Scores, Side, by_positive, sorted_scores


def fpr_at_tpr(in_scores: ArrayLike, out_scores: ArrayLike, tpr: float = 0.95, *, positive: Side) -> float:
    """Share of negatives accepted by the strictest threshold that accepts `tpr` of the positives.

    The two conventions of the literature differ widely on the same scores, so neither is the default.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.
        tpr: least share of positives to accept, a fraction in (0, 1], read as the decimal it prints as.
        positive: "in" keeps `tpr` of the in-distribution images and gives the share of OOD images kept with
            them (papers on CLIP and ImageNet); "out" flags `tpr` of the OOD images and gives the share of
            in-distribution images flagged with them (OpenOOD, pytorch-ood).

    Returns:
        A fraction in [0, 1]; lower is better. Nothing is interpolated; scores tied with the threshold are accepted.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers, `tpr` is
            outside (0, 1], or `positive` is neither "in" nor "out".

    Source: Hendrycks and Gimpel, ICLR 2017; Liang, Li and Srikant (ODIN), ICLR 2018.
    """
    ordered_in, ordered_out = sorted_scores(in_scores, out_scores)
    return false_positive_rate(*by_positive(ordered_in, ordered_out, positive), tpr)


def false_positive_rate(positives: Scores, negatives: Scores, tpr: float) -> float:
    """`fpr_at_tpr` of scores that are checked and ascending."""
    if not 0 < tpr <= 1:
        raise InvalidInput(f"tpr must be a fraction above 0 and at most 1, such as 0.95, got {tpr}")
    needed = ceil(Fraction(str(float(tpr))) * len(positives))  # integers: as a float, 0.95 is not 19/20
    threshold = positives[len(positives) - needed]
    return (len(negatives) - int(np.searchsorted(negatives, threshold, side="left"))) / len(negatives)
