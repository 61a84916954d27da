"""Mahalanobis distance to the nearest class (Lee et al., 2018), and Mahalanobis++ (Mueller & Hein, 2025)."""

from torch import Tensor

from oodkit.scorers.base import Need, Train
from oodkit.scorers.checks import check_choice, check_flag, check_seed
from oodkit.scorers.class_covariances import (
    ClassMaps,
    Covariance,
    class_maps,
    maps_of,
    squared_distance_to_nearest_class,
)
from oodkit.scorers.cluster_labels import cluster_labels, clusters_note
from oodkit.scorers.gaussian import ClassGaussians, ClassMoments, class_gaussians
from oodkit.scorers.moment_scorer import MomentScorer, check_classes_are_labels
from oodkit.scorers.unit_rows import unit_rows
from oodkit.scorers.whitening import Shrinkage


class Mahalanobis(MomentScorer):
    """Minus the smallest squared Mahalanobis distance to a class mean, at most 0.

    With class means mu_c and covariance S of the fit rows around their class means, divided by their number:

        score(z) = -min_c (z - mu_c)' S^-1 (z - mu_c)

    By default all classes share one covariance; with `covariance="per_class"` each has its own, S_c, which needs many
    more fit rows than dimensions in every class. Classes are the labels, or with `clusters` the clusters of k-means.
    Without either all rows are ONE class, a single Gaussian (`n_classes_` is 1, and a note says so).

    Where a covariance is singular, as with fewer fit rows than dimensions or a constant feature, it is shrunk by
    Ledoit and Wolf's formula, and a note says so; otherwise it is used as it is.

    Parameters
    ----------
    normalize : bool, default False
        Scale features to length 1 first (Mahalanobis++); often better, above all for vision transformers.
    clusters : int or None, default None
        Number of k-means clusters that take the place of the classes; labels are then ignored.
    covariance : "shared" or "per_class", default "shared"
        One covariance for all classes, or one for each. The latter holds C D^2 numbers of 8 bytes; a class whose rows
        vary in too few directions (one row, equal rows, two rows) takes the shared one, and a note says so.
    shrinkage : "auto", "none" or "ledoit_wolf", default "auto"
        Whether covariances are shrunk by Ledoit and Wolf's formula: where singular, never (a pseudo-inverse then, which
        is blind in the directions without variance), or always.
    seed : int, default 0
        Of k-means.

    Attributes
    ----------
    n_classes_ : int
        Number of classes, C.
    location_ : (D,) tensor
        Mean of the fit rows, float64.
    whitening_ : (D, r) or (C, D, D) tensor
        The map in which distances are Euclidean, or one per class; float64.
    class_means_ : (C, r) tensor
        Whitened class means relative to `location_`, float64, in ascending order of label.
    shrinkage_ : float or (C,) tensor
        Ledoit-Wolf shrinkage, 0 for none.
    null_space_dim_ : int or (C,) tensor
        Number of directions in which the fit rows do not vary around their class means.

    Raises
    ------
    InvalidInput
        A parameter is out of its range.
    TooFewSamples
        A single fit row, no class with two different rows, or more clusters than different rows.

    Notes
    -----
    The paper also perturbs the input and combines layers; this is its score of one layer. Its covariance is the one
    used here. pytorch-ood leaves the covariance undivided and halves the distance, others divide by N - C: the same
    order of rows. Where these add a ridge or take a pseudo-inverse, here the covariance is shrunk.

    References
    ----------
    Lee, Lee, Lee, Shin: A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks,
    NeurIPS 2018, arXiv 1807.03888.
    Mueller, Hein: Mahalanobis++: Improving OOD Detection via Feature Normalization, ICML 2025, arXiv 2505.18032.
    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices, JMVA 2004.
    """

    optional = frozenset({Need.LABELS})

    n_classes_: int
    location_: Tensor
    whitening_: Tensor
    class_means_: Tensor
    shrinkage_: float | Tensor
    null_space_dim_: int | Tensor

    def __init__(
        self,
        normalize: bool = False,
        clusters: int | None = None,
        covariance: Covariance = "shared",
        shrinkage: Shrinkage = "auto",
        seed: int = 0,
    ) -> None:
        self.normalize = normalize
        self.clusters = clusters
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.seed = seed

    def _fit(self, train: Train) -> None:
        self._check_parameters()
        prepare = unit_rows if self.normalize else None
        labels = train.labels
        if self.clusters is not None:
            labels = cluster_labels(train.features, self.clusters, self.seed, prepare)
            self.notes_ += clusters_note(self.clusters, train.labels)
        elif labels is None:
            self.notes_.append("no labels were given: all fit samples are one class")
        gaussians = class_gaussians(train.features, labels, prepare)
        within = gaussians.whiten_within(self.shrinkage)
        maps = class_maps(train.features, labels, gaussians, within, self.covariance, self.shrinkage, prepare)
        self._take(gaussians, maps)

    def _fit_moments(self, moments: ClassMoments) -> None:
        self._check_parameters()
        check_classes_are_labels(self.clusters)
        gaussians = moments.gaussians()
        own = moments.covariances() if self.covariance == "per_class" else None
        self._take(gaussians, maps_of(gaussians, gaussians.whiten_within(self.shrinkage), own, self.shrinkage))

    def _take(self, gaussians: ClassGaussians, maps: ClassMaps) -> None:
        self.n_classes_ = len(gaussians.counts)
        self.location_ = gaussians.mean
        self.whitening_, self.class_means_ = maps.matrices, maps.points
        self.shrinkage_, self.null_space_dim_ = maps.shrinkage, maps.null_space_dim
        self.notes_ += maps.notes

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = (unit_rows(x.double()) if self.normalize else x.double()) - self.location_
        return -squared_distance_to_nearest_class(x, self.class_means_, self.whitening_)

    def _check_parameters(self) -> None:
        check_choice("covariance", self.covariance, Covariance)
        check_choice("shrinkage", self.shrinkage, Shrinkage)
        check_flag("normalize", self.normalize)
        check_seed(self.seed)
