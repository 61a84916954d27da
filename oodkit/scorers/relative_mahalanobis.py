"""Relative Mahalanobis distance (Ren et al., 2021), and on features of length 1 (Mueller & Hein, ICML 2025)."""

from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.squared_distance import squared_distance_to_nearest
from oodkit.scorers.unit_rows import unit_rows


class RelativeMahalanobis(Scorer):
    """Squared Mahalanobis distance to all data minus that to the nearest class; positive inside a class.

    The distance to a class uses the covariance around the class means, that to all data the mean and covariance of
    all rows; both are divided by the number of rows. With a single class the two are the same and the score would be
    0 for everything, so `fit` refuses it.

    Where the covariance around the class means is singular, as with fewer fit rows than dimensions or a constant
    feature, it is shrunk by Ledoit and Wolf's formula, and a note says so. The covariance of all rows is the sum of
    that one and the covariance of the class means, so both are shrunk alike and cancel where classes do not differ.

    Parameters
    ----------
    normalize : bool, default False
        Scale features to length 1 first; often better, above all for vision transformers.

    Attributes
    ----------
    n_classes_ : int
        Number of classes, C.
    location_ : (D,) tensor
        Mean of the fit rows, float64.
    whitening_, total_whitening_ : (D, r) tensors
        The maps in which distances to a class, and to all data, are Euclidean; float64.
    class_means_ : (C, r) tensor
        Class means relative to `location_`, mapped by `whitening_`, float64, in ascending order of label.
    shrinkage_ : float
        Ledoit-Wolf shrinkage, 0 for none.
    null_space_dim_ : int
        Number of directions in which the fit rows do not vary around their class means.

    Raises
    ------
    InvalidInput
        No labels, or a single class.
    TooFewSamples
        No class with two different rows.
    """

    needs = frozenset({Need.LABELS})

    n_classes_: int
    location_: Tensor
    whitening_: Tensor
    total_whitening_: Tensor
    class_means_: Tensor
    shrinkage_: float
    null_space_dim_: int

    def __init__(self, normalize: bool = False) -> None:
        self.normalize = normalize

    def _fit(self, train: Train) -> None:
        gaussians = class_gaussians(train.features, train.labels, unit_rows if self.normalize else None)
        self.n_classes_ = len(gaussians.counts)
        if self.n_classes_ == 1:
            raise InvalidInput(
                "RelativeMahalanobis needs at least 2 classes, the labels name 1 class, for which the score is "
                "always 0; use Mahalanobis"
            )
        within = gaussians.whiten_within()
        total = gaussians.whiten_total(within)
        self.location_ = gaussians.mean
        self.whitening_, self.total_whitening_ = within.matrix, total.matrix
        self.class_means_ = (gaussians.class_means - gaussians.mean) @ within.matrix
        self.shrinkage_, self.null_space_dim_ = within.shrinkage, within.null_space_dim
        self.notes_ += within.notes(len(train.features), "within-class covariance")

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = (unit_rows(x.double()) if self.normalize else x.double()) - self.location_
        to_class = squared_distance_to_nearest(x @ self.whitening_, self.class_means_)
        return (x @ self.total_whitening_).square().sum(dim=1) - to_class
