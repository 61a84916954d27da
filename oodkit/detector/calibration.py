"""A threshold with a guarantee: scores of in-distribution images that the scorer was not fitted on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.metrics import (
    BatchAlarm,
    BatchRanks,
    FlagRate,
    conformal_flag_rate,
    conformal_p_values,
    conformal_threshold,
)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns a score into a verdict.

    Attributes:
        scores: (n,) of the calibration images, ascending.
        fpr: share of images like these that may be flagged.
        source: which images they are, in a few words.
    """

    scores: NDArray[np.float64]
    fpr: float
    source: str

    def __post_init__(self) -> None:
        """Sort the scores; refuse a rate that needs more of them."""
        object.__setattr__(self, "scores", np.sort(np.asarray(self.scores, dtype=np.float64)))
        _ = self.threshold

    @cached_property
    def threshold(self) -> float:
        """An image with a score below it is flagged."""
        return conformal_threshold(self.scores, self.fpr)

    @cached_property
    def flag_rate(self) -> FlagRate:
        """The share of images like these that is flagged, and how sure one may be of it."""
        return conformal_flag_rate(len(self.scores), self.fpr)

    def p_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(N,) in (0, 1]: how unusual scores are among those of in-distribution images; low for OOD images."""
        return conformal_p_values(self.scores, scores)

    def alarm(self, scores: ArrayLike, rate: float = 0.01) -> BatchAlarm:
        """Whether the scores (N,) of a batch are lower as a whole than those of calibration; see `BatchRanks.alarm`."""
        return BatchRanks(len(self.scores)).add(self.p_values(scores)).alarm(self.fpr, rate)

    @property
    def guarantee(self) -> str:
        """What the threshold promises, in one sentence."""
        rate = self.flag_rate
        return (
            f"at most {100 * self.fpr:.3g} % of images like these are flagged, in expectation over calibration sets; "
            f"this one: {100 * rate.expected:.1f} %, {100 * rate.level:.0f} % interval "
            f"{100 * rate.low:.1f}-{100 * rate.high:.1f}, n = {rate.n:,}"
        )
