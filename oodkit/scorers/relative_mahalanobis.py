"""Relative Mahalanobis distance (Ren et al., 2021), and on features of length 1 (Mueller & Hein, ICML 2025)."""

from torch import Tensor

from oodkit.errors import InvalidInput
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
from oodkit.scorers.whitening import Shrinkage, Whitening


class _LabelsUnlessClustered:
    """What RelativeMahalanobis needs: labels, unless an instance makes its own classes."""

    def __get__(self, scorer: "RelativeMahalanobis | None", _: type) -> frozenset[Need]:
        own = scorer is not None and getattr(scorer, "clusters", None) is not None
        return frozenset() if own else frozenset({Need.LABELS})


class RelativeMahalanobis(MomentScorer):
    """Squared Mahalanobis distance to all data minus that to the nearest class; positive inside a class.

    With class means mu_c, covariance S_w of the fit rows around them, mean g and covariance S_t of all fit rows, both
    divided by the number of rows:

        score(z) = (z - g)' S_t^-1 (z - g) - min_c (z - mu_c)' S_w^-1 (z - mu_c)

    By default all classes share S_w; with `covariance="per_class"` each has its own. Classes are the labels, or with
    `clusters` the clusters of k-means. With a single class both distances are the same and the score would be 0 for
    everything, so `fit` refuses it.

    Where the covariance around the class means is singular, as with fewer fit rows than dimensions or a constant
    feature, it is shrunk by Ledoit and Wolf's formula, and a note says so. The covariance of all rows is the sum of
    that one and the covariance of the class means, so both are shrunk alike and cancel where classes do not differ.

    Parameters
    ----------
    normalize : bool, default False
        Scale features to length 1 first; often better, above all for vision transformers.
    clusters : int or None, default None
        Number of k-means clusters that take the place of the classes, at least 2; labels are then neither needed nor
        used.
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
        The map in which distances to a class are Euclidean, or one per class; float64.
    total_whitening_ : (D, r) tensor
        The map in which distances to all data are Euclidean; float64.
    class_means_ : (C, r) tensor
        Class means relative to `location_`, mapped by `whitening_`, float64, in ascending order of label.
    shrinkage_ : float or (C,) tensor
        Ledoit-Wolf shrinkage, 0 for none.
    null_space_dim_ : int or (C,) tensor
        Number of directions in which the fit rows do not vary around their class means.

    Raises
    ------
    InvalidInput
        No labels and no clusters, a single class, or a parameter out of its range.
    TooFewSamples
        No class with two different rows, or more clusters than different rows.

    Notes
    -----
    The two covariances must be divided alike. In the 2024 version of pytorch-ood one was divided and the other not,
    which made the distance to all data N times too small and the score nearly that of `Mahalanobis`; in 0.4 neither
    is divided, which orders rows as here.

    References
    ----------
    Ren, Fort, Liu, Roy, Padhy, Lakshminarayanan: A Simple Fix to Mahalanobis Distance for Improving Near-OOD
    Detection, 2021, arXiv 2106.09022.
    Mueller, Hein: Mahalanobis++: Improving OOD Detection via Feature Normalization, ICML 2025, arXiv 2505.18032.
    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices, JMVA 2004.
    """

    needs = _LabelsUnlessClustered()
    optional = frozenset({Need.LABELS})

    n_classes_: int
    location_: Tensor
    whitening_: Tensor
    total_whitening_: Tensor
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
        labels, named = train.labels, "the labels name"
        if self.clusters is not None:
            labels, named = (
                cluster_labels(train.features, self.clusters, self.seed, prepare),
                "clusters=1 makes",
            )
            self.notes_ += clusters_note(self.clusters, train.labels)
        assert labels is not None
        gaussians = class_gaussians(train.features, labels, prepare)
        within = self._whiten(gaussians, named)
        maps = class_maps(train.features, labels, gaussians, within, self.covariance, self.shrinkage, prepare)
        self._take(gaussians, within, maps)

    def _fit_moments(self, moments: ClassMoments) -> None:
        self._check_parameters()
        check_classes_are_labels(self.clusters)
        gaussians = moments.gaussians()
        within = self._whiten(gaussians, "the moments are of")
        own = moments.covariances() if self.covariance == "per_class" else None
        self._take(gaussians, within, maps_of(gaussians, within, own, self.shrinkage))

    def _whiten(self, gaussians: ClassGaussians, named: str) -> Whitening:
        if len(gaussians.counts) == 1:
            raise InvalidInput(
                f"RelativeMahalanobis needs at least 2 classes, {named} 1 class, for which the score is "
                "always 0; use Mahalanobis"
            )
        return gaussians.whiten_within(self.shrinkage)

    def _take(self, gaussians: ClassGaussians, within: Whitening, maps: ClassMaps) -> None:
        self.n_classes_ = len(gaussians.counts)
        self.location_ = gaussians.mean
        self.total_whitening_ = gaussians.whiten_total(within).matrix
        self.whitening_, self.class_means_ = maps.matrices, maps.points
        self.shrinkage_, self.null_space_dim_ = maps.shrinkage, maps.null_space_dim
        self.notes_ += maps.notes

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = (unit_rows(x.double()) if self.normalize else x.double()) - self.location_
        to_class = squared_distance_to_nearest_class(x, self.class_means_, self.whitening_)
        return (x @ self.total_whitening_).square().sum(dim=1) - to_class

    def _check_parameters(self) -> None:
        check_choice("covariance", self.covariance, Covariance)
        check_choice("shrinkage", self.shrinkage, Shrinkage)
        check_flag("normalize", self.normalize)
        check_seed(self.seed)
