"""k-means clusters of rows, the same whatever the order of the rows."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from oodkit.clustering.lloyd import lloyd
from oodkit.clustering.row_blocks import Rows, UnitRows, checked_blocks
from oodkit.clustering.row_order import row_order
from oodkit.clustering.row_sample import row_sample
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.progress import progress

WHOLE_BYTES = 512 * 2**20  # larger sets of rows are never held whole
RESTARTS, SAMPLE_RESTARTS = 10, 3
PASSES = 10  # over rows that are not held, at most
TOLERANCE = 1e-4  # of the rows' variance: centres that move less have settled


class Clusters(NamedTuple):
    """A partition of N rows into K clusters, each with at least one row."""

    assignments: NDArray[np.int64]  # (N,) in 0 .. K - 1
    centres: NDArray[np.float64]  # (K, D) means of the clusters' rows; of length 1 if spherical


def kmeans(
    features: Rows,
    clusters: int,
    *,
    seed: int = 0,
    restarts: int | None = None,
    iterations: int = 300,
    spherical: bool = False,
) -> Clusters:
    """Partition rows into clusters with small squared distances to their means: Lloyd's algorithm, k-means++ starts.

    The order of the rows matters neither to the partition nor to the numbering. More than 512 MB of rows are read
    block by block and never held: Lloyd's algorithm runs on a sample first, 256 rows for each cluster but from 20,000
    to 100,000 (or 20 for each cluster, where that is more), drawn by the rows' values; then at most 10 passes over all
    rows follow, until the centres hardly move.

    Args:
        features: (N, D) finite numbers, also memory-mapped; computed in float32, or float64 if they are that.
        clusters: K, at least 2 and at most the number of different rows.
        seed: of the starts and of the sample.
        restarts: number of starts, of which the best is kept; None: 10, or 3 on a sample.
        iterations: at most so many per start.
        spherical: by cosine in place of distance: rows and centres are scaled to length 1.

    Raises:
        InvalidInput: wrong shape, not finite, so large that squares overflow, fewer than 2 clusters, or fewer than 1
            start or iteration.
        TooFewSamples: more clusters than rows, or than different rows.

    Source: Lloyd, Least squares quantization in PCM, 1982; Arthur and Vassilvitskii, k-means++, 2007; Dhillon and
    Modha, Concept decompositions for large sparse text data using clustering, 2001 (spherical).
    """
    if len(features.shape) != 2 or 0 in features.shape:
        raise InvalidInput(f"features to cluster must be finite numbers of shape (N, D), got {features.shape}")
    if clusters != int(clusters) or clusters < 2:
        raise InvalidInput(f"clusters must be an integer of at least 2, got {clusters}")
    clusters = int(clusters)
    counts: dict[str, Any] = {"restarts": 1 if restarts is None else restarts, "iterations": iterations}
    for name, value in counts.items():
        if not isinstance(value, int | float | np.integer) or value != int(value) or value < 1:
            raise InvalidInput(f"{name} must be an integer of at least 1, got {value}")
    if not isinstance(spherical, bool):
        raise InvalidInput(f"spherical must be True or False, got {spherical!r}")
    if clusters > features.shape[0]:
        found = f"got {features.shape[0]} sample(s)"
        raise TooFewSamples(f"clusters={clusters} needs at least {clusters} fit samples, {found}; lower clusters")
    rows = UnitRows(features) if spherical else features
    width = 8 if features.dtype == np.float64 else 4
    if features.shape[0] * features.shape[1] * width > WHOLE_BYTES:
        return _of_many(rows, clusters, seed, restarts or SAMPLE_RESTARTS, iterations, spherical)
    held = np.concatenate([block for _, block in checked_blocks(rows)])
    order = row_order(held)
    model = _model(clusters, restarts or RESTARTS, iterations, seed)
    ordered = _labels(model, held[order], None, clusters)
    assignments = np.empty(len(held), dtype=np.int64)
    assignments[order] = ordered
    centres = model.cluster_centers_.astype(np.float64)
    if not spherical:
        return Clusters(assignments, centres)
    return Clusters(*lloyd(held, centres, iterations, 0.0, spherical=True))


def _of_many(rows: Rows, clusters: int, seed: int, restarts: int, iterations: int, spherical: bool) -> Clusters:
    sample = row_sample(rows, clusters, seed)
    model = _model(clusters, restarts, iterations, seed)
    with progress(f"k-means, {len(sample.rows):,} of {rows.shape[0]:,} rows", 1, unit="samples") as advance:
        variance = float(sample.rows.var(axis=0, dtype=np.float64).mean())
        _labels(model, sample.rows, sample.weights, clusters)
        advance()
    centres = model.cluster_centers_.astype(np.float64)
    return Clusters(*lloyd(rows, centres, min(iterations, PASSES), TOLERANCE * variance, spherical=spherical))


def _model(clusters: int, restarts: int, iterations: int, seed: int) -> KMeans:
    return KMeans(clusters, n_init=restarts, max_iter=iterations, random_state=seed)


def _labels(
    model: KMeans, rows: NDArray[np.floating], weights: NDArray[np.float64] | None, clusters: int
) -> NDArray[np.int32]:
    """Clusters of the rows that the model is fitted on, each of which there is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # says that clusters are missing: an error below
        labels: NDArray[np.int32] = model.fit_predict(rows, sample_weight=weights)
    different = len(np.unique(labels))
    if different < clusters:
        raise TooFewSamples(f"clusters={clusters} needs as many different rows, found {different}; lower clusters")
    return labels
