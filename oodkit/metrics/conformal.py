"""A threshold on scores that flags at most a given share of in-distribution images, and p-values that say the same."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics.scores import sorted_scores


@dataclass(frozen=True)
class FlagRate:
    """The share of in-distribution images that a conformal threshold flags, as fractions.

    Attributes:
        expected: its mean over calibration sets, k / (n + 1); never above the share that was asked for.
        low: lower end of the interval in which it lies for `level` of the calibration sets.
        high: upper end.
        level: of the interval.
        n: number of calibration scores.
    """

    expected: float
    low: float
    high: float
    level: float
    n: int


def conformal_images_needed(fpr: float) -> int:
    """The smallest number of calibration scores that a threshold for this rate can be had from: ceil(1 / fpr) - 1.

    Args:
        fpr: share of in-distribution images that may be flagged, in (0, 1).

    Raises:
        InvalidInput: `fpr` is not inside (0, 1).
    """
    _check_rate(fpr)
    needed = math.ceil(1 / fpr) - 1
    return needed - 1 if needed > 1 and 1 / needed <= fpr else needed


def conformal_threshold(scores: ArrayLike, fpr: float = 0.05) -> float:
    """The threshold below which a score is flagged: the k-th smallest of n, k the largest with k / (n + 1) <= fpr.

    A new image whose score is exchangeable with these is flagged with probability k / (n + 1) at most, and exactly so
    where no scores are equal.

    Args:
        scores: (n,) of in-distribution images that nothing was fitted or chosen on; higher is more in-distribution.
        fpr: share of in-distribution images that may be flagged, in (0, 1).

    Raises:
        InvalidInput: `fpr` is not inside (0, 1), or the scores are empty or hold NaN.
        TooFewSamples: fewer scores than the rate needs.

    Source: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005.
    """
    ascending = _sorted(scores)
    return float(ascending[_rank(len(ascending), fpr) - 1])


def conformal_p_values(calibration: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """(1 + number of calibration scores that are at most the score) / (n + 1).

    Of an in-distribution image it is at most a with probability a at most. It is at most `fpr` exactly where the score
    is below the conformal threshold for this rate.

    Args:
        calibration: (n,) scores of in-distribution images that nothing was fitted or chosen on.
        scores: (M,) to be judged; M may be 0.

    Returns:
        (M,) in (0, 1].

    Raises:
        InvalidInput: the calibration scores are empty, or a score is NaN.
    """
    ascending = _sorted(calibration)
    asked = np.asarray(scores, dtype=np.float64)
    if np.isnan(asked).any():
        raise InvalidInput("scores hold NaN, which has no rank; fix or drop them")
    return (1 + np.searchsorted(ascending, asked, side="right")) / (len(ascending) + 1)


def conformal_flag_rate(n: int, fpr: float = 0.05, level: float = 0.95) -> FlagRate:
    """What share of in-distribution images the conformal threshold of n scores flags.

    Over calibration sets it is Beta(k, n + 1 - k) distributed where no scores are equal, and smaller where some are.

    Args:
        n: number of calibration scores.
        fpr: share that may be flagged, in (0, 1).
        level: of the interval, with equal tails, in (0, 1).

    Raises:
        InvalidInput: `fpr` or `level` is not inside (0, 1).
        TooFewSamples: fewer scores than the rate needs.
    """
    if not 0 < level < 1:
        raise InvalidInput(f"level must lie between 0 and 1, got {level}; 0.95 is usual")
    k = _rank(n, fpr)
    low, high = (float(stats.beta.ppf(share, k, n + 1 - k)) for share in ((1 - level) / 2, (1 + level) / 2))
    return FlagRate(expected=k / (n + 1), low=low, high=high, level=level, n=n)


def _rank(n: int, fpr: float) -> int:
    """The largest k with k / (n + 1) <= fpr, by the comparison that p-values are judged with."""
    needed = conformal_images_needed(fpr)
    if n < needed:
        raise TooFewSamples(
            f"a false-positive rate of {fpr:g} needs at least {needed} calibration images, got {n}; give more images, "
            f"or a rate of at least {1 / (n + 1):.3g}"
        )
    k = math.floor(fpr * (n + 1))
    return k + 1 if (k + 1) / (n + 1) <= fpr else k if k / (n + 1) <= fpr else k - 1


def _check_rate(fpr: float) -> None:
    if not 0 < fpr < 1:
        raise InvalidInput(f"the false-positive rate must lie between 0 and 1, got {fpr}; 0.05 stands for 5 %")


def _sorted(scores: ArrayLike) -> NDArray[np.float64]:
    try:
        ascending, _ = sorted_scores(np.asarray(scores, dtype=np.float64), [0.0])
    except InvalidInput as error:
        raise InvalidInput(str(error).replace("in_scores", "calibration scores")) from error
    return ascending.astype(np.float64)
