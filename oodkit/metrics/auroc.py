"""Area under the ROC curve, by counting pairs."""

from numpy.typing import ArrayLike

from oodkit.metrics.placements import doubled_placements, total
from oodkit.metrics.scores import sorted_scores


def auroc(in_scores: ArrayLike, out_scores: ArrayLike) -> float:
    """Probability that an in-distribution image scores higher than an OOD image, ties counting one half.

    Exact: the pairs are counted as integers and divided once.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.

    Returns:
        A fraction in [0, 1]; 0.5 for constant scores.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.

    Source: Mann and Whitney, Annals of Mathematical Statistics 1947.
    """
    ordered_in, ordered_out = sorted_scores(in_scores, out_scores)
    doubled_wins = total(doubled_placements(ordered_in, ordered_out))
    return doubled_wins / (2 * len(ordered_in) * len(ordered_out))
