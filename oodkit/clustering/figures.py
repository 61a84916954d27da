"""How well clusters agree with classes: accuracy under the best matching, NMI, AMI and ARI."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from oodkit.errors import InvalidInput


class Figures(NamedTuple):
    """Agreement of clusters with classes, as fractions; 1 for a perfect one.

    Attributes:
        accuracy: share of rows whose class is the one that their cluster is matched with.
        nmi, ami: normalised and adjusted mutual information, divided by the mean of the two entropies.
        ari: adjusted Rand index; AMI and ARI are about 0 for random clusters.
    """

    accuracy: float
    nmi: float
    ami: float
    ari: float


def clustering_figures(clusters: ArrayLike, classes: ArrayLike) -> Figures:
    """Agreement of clusters with classes; how either are named does not matter.

    Args:
        clusters: (N,) integers.
        classes: (N,) integers.

    Raises:
        InvalidInput: different lengths, more than one axis, or none at all.
    """
    found, wanted = _checked(clusters, classes)
    return Figures(
        accuracy=matched_accuracy(found, wanted),
        nmi=float(normalized_mutual_info_score(wanted, found)),
        ami=float(adjusted_mutual_info_score(wanted, found)),
        ari=float(adjusted_rand_score(wanted, found)),
    )


def matched_accuracy(clusters: ArrayLike, classes: ArrayLike) -> float:
    """Share of rows whose class is that of their cluster, under the best matching of clusters with classes.

    Each class is matched with one cluster at most (Hungarian method). Of more clusters than classes, those that are
    left over take their most frequent class; of more classes than clusters, those left over are never right.

    Args:
        clusters: (N,) integers.
        classes: (N,) integers.

    Raises:
        InvalidInput: as `clustering_figures`.
    """
    found, wanted = _checked(clusters, classes)
    counts: NDArray[np.int64] = contingency_matrix(found, wanted)  # (clusters that occur, classes that occur)
    matched, with_class = linear_sum_assignment(counts, maximize=True)
    right = counts.max(axis=1)
    right[matched] = counts[matched, with_class]
    return float(right.sum() / len(found))


def _checked(clusters: ArrayLike, classes: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found, wanted = np.asarray(clusters), np.asarray(classes)
    if found.ndim != 1 or found.shape != wanted.shape or len(found) == 0:
        raise InvalidInput(f"clusters and classes must have the same shape (N,), got {found.shape} and {wanted.shape}")
    return found, wanted
