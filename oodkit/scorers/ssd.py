"""SSD: Mahalanobis distance of standardised directions, without labels (Sehwag et al., ICLR 2021)."""

import torch
from torch import Tensor

from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.class_covariances import class_maps, squared_distance_to_nearest_class
from oodkit.scorers.cluster_labels import cluster_labels
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.unit_rows import unit_rows

LEAST_SPREAD = 1e-10  # standard deviation in rows of length 1 that is taken for rounding


class SSD(Scorer):
    """Minus the smallest squared Mahalanobis distance to a cluster of fit rows, at most 0; needs no labels.

    Features are scaled to length 1, then standardised: from each feature the fit rows' mean is taken, and it is divided
    by their standard deviation. With the mean m_k and the covariance S_k of the standardised fit rows f of cluster k,
    divided by their number:

        score(z) = -min_k (f(z) - m_k)' S_k^-1 (f(z) - m_k)

    With one cluster, the default and the paper's best, this is the score of `Mahalanobis` with `normalize=True` and
    without labels. Made for features of self-supervised contrastive training.

    Where a covariance is singular, as with fewer fit rows than dimensions or a constant feature, it is shrunk by
    Ledoit and Wolf's formula, and a note says so; otherwise it is used as it is. A cluster whose rows vary in too few
    directions for that takes the covariance around the cluster means that all clusters share, and a note says so.

    Parameters
    ----------
    clusters : int, default 1
        Number of k-means clusters, each with a covariance of its own: K D^2 numbers of 8 bytes.
    seed : int, default 0
        Of k-means.

    Attributes
    ----------
    centre_, spread_ : (D,) tensors
        Mean and standard deviation of the fit rows scaled to length 1; a deviation that is rounding is 1. float64.
    location_ : (D,) tensor
        Mean of the standardised fit rows, 0 up to rounding.
    whitening_ : (D, r) or (K, D, D) tensor
        The map in which distances are Euclidean, or one per cluster; float64.
    cluster_means_ : (K, r) tensor
        Whitened cluster means relative to `location_`.
    shrinkage_ : float or (K,) tensor
        Ledoit-Wolf shrinkage, 0 for none.
    null_space_dim_ : int or (K,) tensor
        Number of directions in which the fit rows do not vary around their cluster means.

    Raises
    ------
    InvalidInput
        `clusters` is not an integer of at least 1.
    TooFewSamples
        A single fit row, or more clusters than different rows.

    Notes
    -----
    The authors' code takes a pseudo-inverse of every covariance, which is blind in directions without variance; here a
    singular covariance is shrunk. Its variants with few out-of-distribution samples, or with labels in place of
    k-means, are not offered; `Mahalanobis` with `covariance="per_class"` takes labels.

    References
    ----------
    Sehwag, Chiang, Mittal: SSD: A Unified Framework for Self-Supervised Outlier Detection, ICLR 2021, arXiv 2103.12051.
    """

    centre_: Tensor
    spread_: Tensor
    location_: Tensor
    whitening_: Tensor
    cluster_means_: Tensor
    shrinkage_: float | Tensor
    null_space_dim_: int | Tensor

    def __init__(self, clusters: int = 1, seed: int = 0) -> None:
        self.clusters = clusters
        self.seed = seed

    def _fit(self, train: Train) -> None:
        units = class_gaussians(train.features, None, unit_rows)
        self.centre_, spread = units.mean, units.total.diagonal().sqrt()
        self.spread_ = torch.where(spread > LEAST_SPREAD, spread, 1.0)
        of = cluster_labels(train.features, self.clusters, self.seed, self._standardised)
        gaussians = class_gaussians(train.features, of, self._standardised)
        within = gaussians.whiten_within()
        labels = None if self.clusters == 1 else of
        maps = class_maps(train.features, labels, gaussians, within, "per_class", prepare=self._standardised)
        self.location_ = gaussians.mean
        self.whitening_, self.cluster_means_ = maps.matrices, maps.points
        self.shrinkage_, self.null_space_dim_ = maps.shrinkage, maps.null_space_dim
        self.notes_ += maps.notes

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = self._standardised(x.double()) - self.location_
        return -squared_distance_to_nearest_class(x, self.cluster_means_, self.whitening_)

    def _standardised(self, x: Tensor) -> Tensor:  # (B, D) float64 -> (B, D)
        return (unit_rows(x) - self.centre_) / self.spread_
