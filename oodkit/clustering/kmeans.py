"""k-means clusters of rows, the same whatever the order of the rows."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from oodkit.errors import InvalidInput, TooFewSamples


class Clusters(NamedTuple):
    """A partition of N rows into K clusters, each with at least one row."""

    assignments: NDArray[np.int64]  # (N,) in 0 .. K - 1
    centres: NDArray[np.float64]  # (K, D) means of the clusters' rows


def kmeans(
    features: NDArray[np.floating], clusters: int, *, seed: int = 0, restarts: int = 10, iterations: int = 300
) -> Clusters:
    """Partition rows into clusters with small squared distances to their means: Lloyd's algorithm, k-means++ starts.

    Rows are sorted first, so that their order matters neither to the partition nor to the numbering.

    Args:
        features: (N, D) finite float32 or float64, in memory; computed in their dtype.
        clusters: K, at least 2 and at most the number of different rows.
        seed: of the starts.
        restarts: number of starts, of which the best is kept.
        iterations: at most so many per start.

    Raises:
        InvalidInput: wrong shape, not finite, so large that squares overflow, or fewer than 2 clusters.
        TooFewSamples: more clusters than rows, or than different rows.

    Source: Lloyd, Least squares quantization in PCM, 1982; Arthur and Vassilvitskii, k-means++, 2007.
    """
    if features.ndim != 2 or 0 in features.shape or not np.isfinite(features).all():
        raise InvalidInput(f"features to cluster must be finite numbers of shape (N, D), got {features.shape}")
    if clusters != int(clusters) or clusters < 2:
        raise InvalidInput(f"clusters must be an integer of at least 2, got {clusters}")
    if clusters > len(features):
        found = f"got {len(features)} sample(s)"
        raise TooFewSamples(f"clusters={clusters} needs at least {clusters} fit samples, {found}; lower clusters")
    if max(features.max(), -features.min()) > np.sqrt(np.finfo(features.dtype).max / features.shape[1]) / 4:
        raise InvalidInput(f"features are too large: their squares overflow {features.dtype}; scale them down")
    order = row_order(features)
    model = KMeans(int(clusters), n_init=restarts, max_iter=iterations, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # says that clusters are missing: an error below
        ordered = model.fit_predict(features[order])
    different = len(np.unique(ordered))
    if different < clusters:
        raise TooFewSamples(f"clusters={clusters} needs as many different rows, found {different}; lower clusters")
    assignments = np.empty(len(features), dtype=np.int64)
    assignments[order] = ordered
    return Clusters(assignments, model.cluster_centers_.astype(np.float64))


def row_order(features: NDArray[np.floating]) -> NDArray[np.intp]:
    """Places of the rows in an order that depends on their values alone; equal rows keep their order.

    Args:
        features: (N, D) float32 or float64.
    """
    # Most significant byte first, so that comparing bytes compares values up to their sign.
    big_endian = np.ascontiguousarray(features + 0.0, dtype=features.dtype.newbyteorder(">"))  # + 0.0: -0 becomes 0
    rows = big_endian.view(np.dtype((np.void, features.shape[1] * features.itemsize))).ravel()
    return np.argsort(rows, kind="stable")
