"""Does a batch of scores as a whole differ from calibration scores? Two tests whose laws are known exactly."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from oodkit.errors import InvalidInput
from oodkit.metrics.conformal import conformal_flag_rate

DRAWS = 9_999  # of batches that do not differ
BLOCKS = 500  # of neighbouring calibration scores
_CELLS = 2**22  # of draws that are held at once


@dataclass(frozen=True)
class BatchAlarm:
    """What the two tests say of a batch.

    Attributes:
        images: number of scores in the batch.
        flagged: how many of them are below the threshold.
        p_flagged: how likely so many are where the batch does not differ.
        p_ranks: how likely scores so low as a whole are then.
        p_value: of both together: twice the smaller, at most 1.
        rate: share of batches that do not differ which may raise the alarm.
        raised: whether the p-value is at most the rate.
    """

    images: int
    flagged: int
    p_flagged: float
    p_ranks: float
    p_value: float
    rate: float
    raised: bool


class BatchRanks:
    """Where the scores of a batch lie among n calibration scores; it takes them part by part and keeps n + 1 counts.

    Args:
        n: number of calibration scores.
    """

    def __init__(self, n: int) -> None:
        self._counts = np.zeros(n + 1, dtype=np.int64)

    def add(self, p_values: ArrayLike) -> Self:
        """Take the conformal p-values of some more scores."""
        n = len(self._counts) - 1
        below = np.rint(np.asarray(p_values, dtype=np.float64) * (n + 1)).astype(np.int64) - 1
        if below.size and not (below.min() >= 0 and below.max() <= n):
            raise InvalidInput(f"these are no conformal p-values of {n} calibration scores; they lie in (0, 1]")
        np.add.at(self._counts, below.ravel(), 1)
        return self

    def alarm(self, fpr: float, rate: float, seed: int = 0) -> BatchAlarm:
        """Test whether the scores are lower than those of calibration, as a whole or in their number below a threshold.

        Where the images of the batch are drawn as those of calibration were, the alarm is raised with probability
        `rate` at most, whatever the two numbers of images: over calibration sets and batches together. Batches that are
        judged by one calibration set share its luck: for some sets more are, for others fewer.

        Neither test approximates. Of n calibration scores and m others that are exchangeable, without equal ones, all
        arrangements are equally likely. So the number of scores below the k-th smallest of calibration is
        beta-binomial, m draws with a share from Beta(k, n + 1 - k); and the sum of ranks is compared with 9,999 drawn
        arrangements of blocks of calibration scores, itself counted among them. Equal scores make either p-value
        larger. Each test gets half the rate: the first finds a few images that are far out, the second many that are a
        little lower.

        Args:
            fpr: of the threshold, in (0, 1).
            rate: share of batches that may raise a false alarm, in (0, 1).
            seed: of the drawn arrangements.

        Raises:
            InvalidInput: no scores, or a rate outside (0, 1).
            TooFewSamples: fewer calibration scores than `fpr` needs.
        """
        check_alarm_rate(rate)
        n, images = len(self._counts) - 1, int(self._counts.sum())
        if not images:
            raise InvalidInput("an alarm needs at least one score; no image of the batch could be read")
        k = round(conformal_flag_rate(n, fpr).expected * (n + 1))
        flagged = int(self._counts[:k].sum())
        p_flagged = float(stats.betabinom.sf(flagged - 1, images, k, n + 1 - k)) if flagged else 1.0
        p_ranks = self._rank_p_value(seed)
        p_value = min(1.0, 2 * min(p_flagged, p_ranks))
        return BatchAlarm(images, flagged, p_flagged, p_ranks, p_value, rate, p_value <= rate)

    def _rank_p_value(self, seed: int) -> float:
        sizes = np.array([len(block) for block in np.array_split(self._counts, min(BLOCKS, len(self._counts)))])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        # Middle of each block among the ranks, in halves: whole numbers, so that equal sums are found equal.
        values = 2 * starts + sizes
        found, images = int(np.add.reduceat(self._counts, starts) @ values), int(self._counts.sum())
        rng, as_low, left = np.random.default_rng(seed), 1, DRAWS
        while left:
            count = min(left, max(1, _CELLS // len(sizes)))
            shares = _dirichlet(rng, sizes, count)
            as_low += int((rng.multinomial(images, shares) @ values <= found).sum())
            left -= count
        return as_low / (DRAWS + 1)


def check_alarm_rate(rate: float) -> None:
    """Refuse a rate of false alarms that is none, or that 9,999 drawn arrangements cannot tell.

    Raises:
        InvalidInput: it is not in (0, 1), or below 0.0002.
    """
    if not 0 < rate < 1:
        raise InvalidInput(f"the rate of false alarms must lie between 0 and 1, got {rate}; 0.01 stands for 1 %")
    least = 2 / (DRAWS + 1)
    if rate < least and not math.isclose(rate, least):
        raise InvalidInput(f"the rate of false alarms must be at least {least:g}, got {rate:g}; allow more")


def _dirichlet(rng: np.random.Generator, sizes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(count, B) shares of blocks of gaps, all arrangements equally likely: Dirichlet(sizes)."""
    drawn = rng.standard_gamma(sizes, (count, len(sizes)))
    shares: NDArray[np.float64] = drawn / drawn.sum(axis=1, keepdims=True)
    return shares
