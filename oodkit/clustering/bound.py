"""How many of the clusters that were asked for are used, and up to which number nearly all are."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput

LEAST_RATIO = 0.96


class Utilisation(NamedTuple):
    """How many clusters have at least one row.

    Attributes:
        used: number of clusters with rows, at most C and at most N.
        ratio: `used` over C, in (0, 1].
    """

    used: int
    ratio: float


def utilisation(assignments: ArrayLike, clusters: int) -> Utilisation:
    """How many of `clusters` clusters have rows.

    Args:
        assignments: (N,) integers in 0 .. clusters - 1, N >= 1.
        clusters: C, how many were asked for.

    Raises:
        InvalidInput: no rows, or an assignment outside 0 .. C - 1.
    """
    found = np.unique(np.asarray(assignments))
    if len(found) == 0 or found[0] < 0 or found[-1] >= clusters:
        raise InvalidInput(f"assignments must be at least one integer from 0 to {clusters - 1}")
    return Utilisation(len(found), len(found) / clusters)


def upper_cluster_bound(ratios: Mapping[int, float], least: float = LEAST_RATIO) -> int | None:
    """Largest number of clusters of a grid at which, and at all smaller ones of it, nearly all clusters are used.

    The ratio need not fall steadily, so the whole curve should be reported beside the bound.

    Args:
        ratios: share of clusters that are used (`utilisation`) by number of clusters.
        least: the ratio that is enough.

    Returns:
        None where even the smallest number of the grid leaves too many clusters unused.

    Source: Adaloglou et al., Rethinking cluster-conditioned diffusion models, WACV 2025, arXiv 2403.00570.
    """
    bound = None
    for clusters in sorted(ratios):
        if ratios[clusters] < least:
            break
        bound = clusters
    return bound
