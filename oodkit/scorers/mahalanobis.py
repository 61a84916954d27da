"""Mahalanobis distance to the nearest class (Lee et al., 2018), and Mahalanobis++ (Mueller & Hein, 2025)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.squared_distance import squared_distance_to_nearest
from oodkit.scorers.unit_rows import unit_rows


class Mahalanobis(Scorer):
    """Minus the smallest squared Mahalanobis distance to a class mean, at most 0.

    All classes share one covariance: that of the fit rows around their class means, divided by their number. Without
    labels all rows are ONE class, a single Gaussian (`n_classes_` is 1, and a note says so).

    Where the covariance is singular, as with fewer fit rows than dimensions or a constant feature, it is shrunk by
    Ledoit and Wolf's formula, and a note says so; otherwise it is used as it is.

    Parameters
    ----------
    normalize : bool, default False
        Scale features to length 1 first (Mahalanobis++); often better, above all for vision transformers.

    Attributes
    ----------
    n_classes_ : int
        Number of classes, C.
    location_ : (D,) tensor
        Mean of the fit rows, float64.
    whitening_ : (D, r) tensor
        The map in which distances are Euclidean, float64.
    class_means_ : (C, r) tensor
        Whitened class means relative to `location_`, float64, in ascending order of label.
    shrinkage_ : float
        Ledoit-Wolf shrinkage, 0 for none.
    null_space_dim_ : int
        Number of directions in which the fit rows do not vary around their class means.

    Raises
    ------
    TooFewSamples
        A single fit row, or no class with two different rows.
    """

    optional = frozenset({Need.LABELS})

    n_classes_: int
    location_: Tensor
    whitening_: Tensor
    class_means_: Tensor
    shrinkage_: float
    null_space_dim_: int

    def __init__(self, normalize: bool = False) -> None:
        self.normalize = normalize

    def _fit(self, train: Train) -> None:
        gaussians = class_gaussians(train.features, train.labels, unit_rows if self.normalize else None)
        within = gaussians.whiten_within()
        self.n_classes_ = len(gaussians.counts)
        self.location_, self.whitening_ = gaussians.mean, within.matrix
        self.class_means_ = (gaussians.class_means - gaussians.mean) @ within.matrix
        self.shrinkage_, self.null_space_dim_ = within.shrinkage, within.null_space_dim
        if train.labels is None:
            self.notes_.append("no labels were given: all fit samples are one class")
        self.notes_ += within.notes(len(train.features), "within-class covariance")

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = unit_rows(x.double()) if self.normalize else x.double()
        return -squared_distance_to_nearest((x - self.location_) @ self.whitening_, self.class_means_)
