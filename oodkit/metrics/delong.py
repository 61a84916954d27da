"""AUROC with DeLong's standard error and an interval that stays inside [0, 1]."""

from dataclasses import dataclass
from math import exp, log, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput
from oodkit.metrics.placements import doubled_placements, total
from oodkit.metrics.scores import Scores, sorted_scores


@dataclass(frozen=True)
class Auroc:
    """An AUROC and its uncertainty from the sampling of test images, all as fractions.

    Attributes:
        auroc: the estimate.
        low: lower end of the interval; NaN if a side has a single score.
        high: upper end of the interval; NaN if a side has a single score.
        standard_error: DeLong's; NaN if a side has a single score.
    """

    auroc: float
    low: float
    high: float
    standard_error: float


def auroc_interval(in_scores: ArrayLike, out_scores: ArrayLike, level: float = 0.95) -> Auroc:
    """AUROC with a confidence interval, symmetric on the logit scale, from DeLong's variance.

    The interval covers the draw of test images only: neither the training seed nor the choice of OOD set.
    It takes images as independent.

    When all pairs have the same outcome (perfect separation, perfect inversion, or all scores equal) DeLong's
    standard error is 0 and says nothing. The interval is then an exact, conservative one: the n = min(N, M)
    disjoint pairs are independent, so an outcome that has probability p shows in all of them with probability
    p^n at most, and the smallest p that is not refuted is ((1 - level) / 2)^(1 / n), as in Clopper and Pearson.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.
        level: coverage of the interval, a fraction in (0, 1).

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers, or `level`
            is outside (0, 1).

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu, IEEE Signal Processing Letters 2014;
        Clopper and Pearson, Biometrika 1934.
    """
    return interval_of_sorted(*sorted_scores(in_scores, out_scores), level)


def interval_of_sorted(ordered_in: Scores, ordered_out: Scores, level: float = 0.95) -> Auroc:
    """`auroc_interval` of scores that are checked and ascending."""
    check_level(level)
    n_in, n_out = len(ordered_in), len(ordered_out)
    pairs = 2 * n_in * n_out  # doubled like the placements
    in_placements = doubled_placements(ordered_in, ordered_out)
    won = total(in_placements)
    area = won / pairs
    if min(n_in, n_out) == 1:
        return Auroc(area, nan, nan, nan)

    out_placements = doubled_placements(ordered_out, ordered_in)
    if in_placements[0] == in_placements[-1] and out_placements[0] == out_placements[-1]:
        return Auroc(area, *ends_of_one_outcome(area, min(n_in, n_out), level), 0.0)

    variance = np.var(in_placements, ddof=1) / (4 * n_in * n_out**2)
    variance += np.var(out_placements, ddof=1) / (4 * n_out * n_in**2)
    error = sqrt(variance)
    return Auroc(area, *ends_on_logit_scale(won, pairs - won, error, level), error)


def check_level(level: float) -> None:
    """Refuse a coverage that is no fraction in (0, 1)."""
    if not 0 < level < 1:
        raise InvalidInput(f"level must be a fraction between 0 and 1, such as 0.95, got {level}")


def ends_on_logit_scale(won: int, lost: int, error: float, level: float) -> tuple[float, float]:
    """An interval around won / (won + lost) that is symmetric in logits; neither count may be 0."""
    pairs = won + lost
    logit = log(won) - log(lost)
    half_width = -NormalDist().inv_cdf((1 - level) / 2) * error / ((won / pairs) * (lost / pairs))
    return _sigmoid(logit - half_width), _sigmoid(logit + half_width)


def ends_of_one_outcome(area: float, independent_pairs: int, level: float) -> tuple[float, float]:
    """The exact, conservative interval for pairs that all have the same outcome."""
    not_refuted = ((1 - level) / 2) ** (1 / independent_pairs)
    return area * not_refuted, 1 - (1 - area) * not_refuted


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))  # exp of a negative number never overflows
