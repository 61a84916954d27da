"""k-means clusters of rows, the same whatever the order of the rows."""

from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from oodkit.clustering.centre_search import Engine, Search
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
    engine: Engine = "sklearn",
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
        engine: what finds the centres that the last passes begin with: "sklearn" from k-means++ starts, or "faiss",
            which has to be installed, from random starts: some times faster, and a little less compact.

    Raises:
        MissingDependency: the engine is not installed.
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
    if engine not in get_args(Engine):
        raise InvalidInput(f"engine must be one of {', '.join(map(repr, get_args(Engine)))}, got {engine!r}")
    if clusters > features.shape[0]:
        found = f"got {features.shape[0]} sample(s)"
        raise TooFewSamples(f"clusters={clusters} needs at least {clusters} fit samples, {found}; lower clusters")
    rows = UnitRows(features) if spherical else features
    width = 8 if features.dtype == np.float64 else 4
    if features.shape[0] * features.shape[1] * width > WHOLE_BYTES:
        search = Search(engine, clusters, restarts or SAMPLE_RESTARTS, iterations, seed)
        return _of_many(rows, search, spherical)
    held = np.concatenate([block for _, block in checked_blocks(rows)])
    order = row_order(held)
    ordered, centres = Search(engine, clusters, restarts or RESTARTS, iterations, seed).run(held[order])
    if spherical or ordered is None:
        return Clusters(*lloyd(held, centres, iterations, 0.0, spherical=spherical))
    assignments = np.empty(len(held), dtype=np.int64)
    assignments[order] = ordered
    return Clusters(assignments, centres)


def _of_many(rows: Rows, search: Search, spherical: bool) -> Clusters:
    sample = row_sample(rows, search.clusters, search.seed)
    with progress(f"k-means, {len(sample.rows):,} of {rows.shape[0]:,} rows", 1, unit="samples") as advance:
        variance = float(sample.rows.var(axis=0, dtype=np.float64).mean())
        _, centres = search.run(sample.rows, sample.weights)
        advance()
    return Clusters(*lloyd(rows, centres, min(search.iterations, PASSES), TOLERANCE * variance, spherical=spherical))
