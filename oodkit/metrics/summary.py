"""All metrics of one in/out pair."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from oodkit.metrics.aupr import average_precision
from oodkit.metrics.delong import interval_of_sorted
from oodkit.metrics.detection_error import least_error
from oodkit.metrics.fpr import false_positive_rate
from oodkit.metrics.scores import by_positive, sorted_scores


@dataclass(frozen=True)
class Metrics:
    """The metrics of one in/out pair, all as fractions.

    Attributes:
        auroc: see `auroc`.
        auroc_ci: ends of the 95 % interval of `auroc_interval`; NaN if a side has a single score.
        aupr_in: average precision, in-distribution being positive.
        aupr_out: average precision, OOD being positive.
        fpr95_in: `fpr_at_tpr` with in-distribution positive: share of OOD kept with 95 % of the in-images.
        fpr95_out: `fpr_at_tpr` with OOD positive: share of in-images flagged with 95 % of the OOD images.
        detection_error: see `detection_error`.
    """

    auroc: float
    auroc_ci: tuple[float, float]
    aupr_in: float
    aupr_out: float
    fpr95_in: float
    fpr95_out: float
    detection_error: float


def summarise(in_scores: ArrayLike, out_scores: ArrayLike) -> Metrics:
    """All metrics of one in/out pair; each side is checked and sorted once.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.
    """
    ordered = sorted_scores(in_scores, out_scores)
    find_in, find_out = by_positive(*ordered, "in"), by_positive(*ordered, "out")
    area = interval_of_sorted(*ordered)
    return Metrics(
        auroc=area.auroc,
        auroc_ci=(area.low, area.high),
        aupr_in=average_precision(*find_in),
        aupr_out=average_precision(*find_out),
        fpr95_in=false_positive_rate(*find_in, tpr=0.95),
        fpr95_out=false_positive_rate(*find_out, tpr=0.95),
        detection_error=least_error(*ordered),
    )
