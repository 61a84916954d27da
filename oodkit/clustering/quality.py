"""How compact and how far apart clusters are, without labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.metrics import silhouette_score

from oodkit.clustering.row_blocks import as_floats, unit
from oodkit.errors import InvalidInput

SAMPLE = 2000  # rows that pairs are counted in


class Quality(NamedTuple):
    """Of clusters of rows scaled to length 1.

    Attributes:
        silhouette: mean of (b - a) / max(a, b), with a the mean cosine distance to the own cluster and b to the nearest
            other; in [-1, 1], higher is better. None where there are not two clusters with rows, or each row is one.
        spread: mean distance of rows to their cluster's mean over the mean distance between the means; lower is better.
            None for one cluster, or means that are all equal.
        uniformity: log of the mean of exp(-2 d^2) over pairs of rows; of the rows alone, lower is more even.
    """

    silhouette: float | None
    spread: float | None
    uniformity: float | None


def clustering_quality(features: NDArray[np.floating], clusters: NDArray[np.integer], seed: int = 0) -> Quality:
    """Quality of clusters, on at most 2,000 rows.

    Args:
        features: (N, D) finite rows.
        clusters: (N,) integers.
        seed: of the draw of rows.

    Raises:
        InvalidInput: different lengths, or no rows.

    Source: Rousseeuw, Silhouettes, 1987; Wang and Isola, Understanding contrastive representation learning, 2020.
    """
    if not len(features) == len(clusters) > 0:
        raise InvalidInput(f"{len(features)} rows need as many clusters, got {len(clusters)}")
    drawn = np.sort(np.random.default_rng(seed).permutation(len(features))[:SAMPLE])
    rows, of = unit(as_floats(features[drawn])).astype(np.float64), np.asarray(clusters)[drawn]
    names, places = np.unique(of, return_inverse=True)
    silhouette = spread = None
    if 1 < len(names) < len(rows):
        silhouette = float(silhouette_score(rows, places, metric="cosine"))
    means = np.stack([rows[places == place].mean(axis=0) for place in range(len(names))])
    between = float(pdist(means).mean()) if len(names) > 1 else 0.0
    if between > 0:
        spread = float(np.linalg.norm(rows - means[places], axis=1).mean()) / between
    uniformity = float(np.log(np.exp(-2 * pdist(rows, "sqeuclidean")).mean())) if len(rows) > 1 else None
    return Quality(silhouette, spread, uniformity)
