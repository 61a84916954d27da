"""Detection error: the mean of both error rates at the best threshold."""

from numpy.typing import ArrayLike

from oodkit.metrics.scores import Scores, sorted_scores
from oodkit.metrics.thresholds import accepted_counts


def detection_error(in_scores: ArrayLike, out_scores: ArrayLike) -> float:
    """Smallest mean of missed in-distribution share and accepted OOD share over all thresholds.

    The threshold is chosen on the scores it is judged on, so the figure is optimistic for few images.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.

    Returns:
        A fraction in [0, 0.5]; lower is better; 0.5 for constant scores.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.

    Source: Liang, Li and Srikant (ODIN), ICLR 2018.
    """
    return least_error(*sorted_scores(in_scores, out_scores))


def least_error(ordered_in: Scores, ordered_out: Scores) -> float:
    """`detection_error` of scores that are checked and ascending."""
    n_in, n_out = len(ordered_in), len(ordered_out)
    accepted_in, accepted_out = accepted_counts(ordered_in, ordered_out)
    best = int((accepted_in * n_out - accepted_out * n_in).max())  # true minus false positive rate, times all pairs
    return (n_in * n_out - best) / (2 * n_in * n_out)
