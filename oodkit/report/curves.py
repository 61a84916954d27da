"""Histograms and ROC curves, small enough to send thousands of them in one page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oodkit.metrics import roc_curve

BINS = 40
STEPS = 1000  # a ROC curve is drawn on a grid of this many steps a side
TOLERANCE = 2  # a point of the curve may be this many steps off its drawing


@dataclass(frozen=True)
class Curves:
    """What is drawn of one cell's scores.

    Attributes:
        low: left end of the histogram: the central 99 % of both sets lie inside.
        high: its right end.
        in_bins: (BINS,) per mille of the in-images in each bin, those outside in the first and last.
        out_bins: (BINS,) the same of the out-images.
        false: (P,) share of out-images accepted, in steps of 1 / STEPS.
        true: (P,) share of in-images accepted.
    """

    low: float
    high: float
    in_bins: tuple[int, ...]
    out_bins: tuple[int, ...]
    false: tuple[int, ...]
    true: tuple[int, ...]


def make_curves(in_scores: NDArray[np.float64], out_scores: NDArray[np.float64]) -> Curves:
    """Histograms over the central 99 % of both sets, and the ROC curve with no more points than one can see."""
    # A few far outliers would squeeze the rest into one bin. "lower" and "higher" never average infinite scores.
    sides = (in_scores, out_scores)
    low = min(_finite(np.quantile(side, 0.005, method="lower"), side) for side in sides)
    high = max(_finite(np.quantile(side, 0.995, method="higher"), side) for side in sides)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    edges = np.linspace(low, high, BINS + 1)[1:-1]
    in_bins, out_bins = (
        np.bincount(np.searchsorted(edges, side, side="right"), minlength=BINS) / len(side) for side in sides
    )
    false, true = _simplified(*roc_curve(in_scores, out_scores))
    return Curves(float(low), float(high), _per_mille(in_bins), _per_mille(out_bins), false, true)


def _per_mille(shares: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(np.rint(1000 * shares).astype(int).tolist())


def _finite(value: float, side: NDArray[np.float64]) -> float:
    if np.isfinite(value):
        return float(value)
    finite = side[np.isfinite(side)]
    if not len(finite):
        return 0.0
    return float(finite.max() if value > 0 else finite.min())


def _simplified(false: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Points of a curve such that the line through them stays within TOLERANCE steps (Ramer, Douglas, Peucker)."""
    points = np.unique(np.rint(STEPS * np.column_stack([false, true])).astype(np.int64), axis=0)  # rising in both
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        between, chord = points[start + 1 : end] - points[start], points[end] - points[start]
        off = np.abs(between[:, 0] * chord[1] - between[:, 1] * chord[0]) / np.hypot(*chord)
        worst = int(off.argmax())
        if off[worst] > TOLERANCE:
            middle = start + 1 + worst
            keep[middle] = True
            spans += [(start, middle), (middle, end)]
    kept = points[keep]
    return tuple(kept[:, 0].tolist()), tuple(kept[:, 1].tolist())
