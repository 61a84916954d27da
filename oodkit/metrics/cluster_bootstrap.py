"""An interval for AUROC where images come in groups, such as classes or videos, and are not independent."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.errors import InvalidInput
from oodkit.metrics.delong import Auroc, check_level, ends_of_one_outcome, ends_on_logit_scale
from oodkit.metrics.placements import doubled_placements, total
from oodkit.metrics.scores import ascending, checked_scores


def auroc_cluster_interval(
    in_scores: ArrayLike,
    out_scores: ArrayLike,
    in_clusters: ArrayLike | None = None,
    out_clusters: ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Auroc:
    """AUROC with an interval that covers the draw of classes (or other clusters), not only that of images.

    Whole clusters are drawn with replacement, as many as there are, on each side by itself. The standard deviation
    of AUROC over the resamples is the standard error, and the interval is symmetric on the logit scale, like that of
    `auroc_interval`. Where all pairs have the same outcome the interval is its exact bound, with clusters in the
    place of images. Below about 20 clusters a side the interval is too narrow.

    Args:
        in_scores: (N,) scores of in-distribution images; higher is more in-distribution.
        out_scores: (M,) scores of OOD images, same convention.
        in_clusters: (N,) the cluster of each in-image, numbers or text; None: each image is one.
        out_clusters: (M,) the cluster of each OOD image; None: each image is one.
        level: coverage of the interval, a fraction in (0, 1).
        resamples: how often clusters are drawn, at least 2; takes O(N + M) time each.
        seed: of the draws; equal seeds give equal results.

    Returns:
        As `auroc_interval`; standard error and ends are NaN if a side has a single cluster.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers; clusters do not
            match their scores; `level` is outside (0, 1); or `resamples` is below 2.

    Source: Field and Welsh, Journal of the Royal Statistical Society B 2007 (cluster bootstrap).
    """
    check_level(level)
    if resamples < 2:
        raise InvalidInput(f"resamples must be at least 2, and some hundreds to be of use, got {resamples}")
    inside, outside = checked_scores(in_scores, out_scores, ("in_scores", "out_scores"))
    in_ids = _numbered(in_clusters, len(inside), "in_clusters")
    out_ids = _numbered(out_clusters, len(outside), "out_clusters")
    order = np.argsort(outside)
    outside, out_ids = outside[order], out_ids[order]

    placements = doubled_placements(inside, outside)
    won, pairs = total(placements), 2 * len(inside) * len(outside)
    n_in, n_out = int(in_ids.max()) + 1, int(out_ids.max()) + 1
    if min(n_in, n_out) == 1:
        return Auroc(won / pairs, nan, nan, nan)
    out_placements = doubled_placements(outside, ascending(inside))
    if np.ptp(placements) == 0 and np.ptp(out_placements) == 0:
        return Auroc(won / pairs, *ends_of_one_outcome(won / pairs, min(n_in, n_out), level), 0.0)

    below = np.searchsorted(outside, inside, side="left")
    not_above = np.searchsorted(outside, inside, side="right")
    rng = np.random.default_rng(seed)
    areas = np.empty(resamples)
    for draw in range(resamples):
        in_weights, out_weights = _times_drawn(n_in, rng)[in_ids], _times_drawn(n_out, rng)[out_ids]
        passed = np.concatenate([[0.0], np.cumsum(out_weights)])
        area = in_weights @ (passed[below] + passed[not_above])
        areas[draw] = area / (2 * in_weights.sum() * passed[-1])
    error = float(np.std(areas, ddof=1))
    return Auroc(won / pairs, *ends_on_logit_scale(won, pairs - won, error, level), error)


def _numbered(clusters: ArrayLike | None, count: int, name: str) -> NDArray[np.intp]:
    """(count,) numbers from 0 for the clusters."""
    if clusters is None:
        return np.arange(count)
    labels = np.asarray(clusters)
    if labels.shape != (count,):
        raise InvalidInput(f"{name} must have shape ({count},), one per score, got {labels.shape}")
    return np.unique(labels, return_inverse=True)[1]


def _times_drawn(clusters: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.bincount(rng.integers(clusters, size=clusters), minlength=clusters).astype(np.float64)
