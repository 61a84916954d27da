"""What an evaluation found: one result per out-set and scorer, with everything that it came from."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Result:
    """One scorer on one out-set. All metrics are fractions, not per cent.

    Attributes:
        out: name of the out-set.
        scorer: registry name.
        params: the scorer's parameters.
        auroc: probability that an in-image scores above an out-image, ties one half.
        auroc_ci: DeLong's 95 % interval.
        aupr_in: average precision with in-images as positives.
        aupr_out: average precision with out-images as positives.
        fpr95_in: share of out-images accepted where 95 % of in-images are (in-images are the positives).
        fpr95_out: share of in-images flagged where 95 % of out-images are (out-images are the positives).
        detection_error: smallest mean of the two error rates over all thresholds.
        n_fit: number of images fitted on.
        n_in: number of in-images scored.
        n_out: number of out-images scored.
        seconds: time to fit, to score the in-images and to score the out-images.
        notes: what the scorer says about its fit, one line each.
        doubts: why the AUROC may mislead, as far as its own numbers tell, one line each.
    """

    out: str
    scorer: str
    params: dict[str, Any]
    auroc: float
    auroc_ci: tuple[float, float]
    aupr_in: float
    aupr_out: float
    fpr95_in: float
    fpr95_out: float
    detection_error: float
    n_fit: int
    n_in: int
    n_out: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """All results of one in-set and one backbone.

    Attributes:
        in_: name of the in-set.
        backbone: full name of the backbone.
        results: one per out-set and scorer, out-sets in the order given, scorers within.
        settings: image size, precision, device, seed, limit and what else was asked for.
        provenance: versions, the backbone's fingerprint and a hash of each set's images.
        notes: what a reader should know beside the numbers, one line each.
        scores: scores by scorer, then by set: (N,) float64; the in-set under its own name.
    """

    in_: str
    backbone: str
    results: tuple[Result, ...]
    settings: dict[str, Any]
    provenance: dict[str, Any]
    notes: tuple[str, ...] = ()
    scores: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the scores, ready for JSON; an interval that is not defined is null."""
        return {
            "in": self.in_,
            "backbone": self.backbone,
            "results": [_result_to_dict(result) for result in self.results],
            "settings": self.settings,
            "provenance": self.provenance,
            "notes": list(self.notes),
        }


def _result_to_dict(result: Result) -> dict[str, Any]:
    ends = [None if math.isnan(end) else end for end in result.auroc_ci]
    return {**asdict(result), "auroc_ci": ends, "notes": list(result.notes)}
