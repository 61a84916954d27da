"""The linear map that turns a Mahalanobis distance into a Euclidean one, whatever the rank of the covariance."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from oodkit.errors import InvalidInput

Shrinkage = Literal["auto", "none", "ledoit_wolf"]

EPSILON = torch.finfo(torch.float64).eps
# Cholesky pivots this far apart leave no doubt about the rank; closer calls are decided by the eigenvalues.
_CLEAR_PIVOT_RATIO = 1e-9


@dataclass(frozen=True)
class Whitening:
    """A map W with W W' = inverse covariance on the directions that it sees.

    Attributes:
        matrix: (D, r) float64; |(x - y) W|^2 is the squared Mahalanobis distance of x and y.
        null_space_dim: number of directions in which the data have no variance.
        shrinkage: Ledoit-Wolf's, in (0, 1]; 0 for none. With none, the directions without variance are not seen
            (r = D - null_space_dim): the matrix is that of the pseudo-inverse.
        covariance: (D, D) the covariance that is whitened, after shrinkage.
    """

    matrix: Tensor
    null_space_dim: int
    shrinkage: float
    covariance: Tensor

    def notes(self, samples: int, covariance: str) -> list[str]:
        """What a user should know, a plain statement or none.

        Args:
            samples: number of fit samples.
            covariance: which one this is, such as "within-class covariance".
        """
        width = len(self.matrix)
        if self.null_space_dim == 0:
            return [f"{covariance}: Ledoit-Wolf shrinkage {self.shrinkage:.2g}"] if self.shrinkage else []
        if self.null_space_dim == width:
            return [f"{covariance}: all {samples} fit samples are equal, so distances are 0"]
        if self.shrinkage == 0:
            blind = f"pseudo-inverse, blind in {self.null_space_dim} directions without variance"
            return [f"{covariance}: {samples} fit samples for {width} dimensions: {blind}"]
        lost = f"{self.null_space_dim} directions without variance"
        shrunk = f"Ledoit-Wolf shrinkage {self.shrinkage:.2g}"
        return [f"{covariance}: {samples} fit samples for {width} dimensions, {lost}: {shrunk}"]


def whitening(
    covariance: Tensor, fourth: float | None, samples: int, floor: float = 0.0, shrinkage: Shrinkage = "auto"
) -> Whitening:
    """Whiten a covariance, shrunk towards a multiple of the identity first where that is asked for.

    Directions count as having no variance where it is at most D * 2.2e-16 of the largest variance, or at most
    `floor`.

    Args:
        covariance: (D, D) float64, symmetric, divided by the number of samples.
        fourth: mean fourth power of the samples' distance to their centre; None where it is not known.
        samples: N, the number of samples.
        floor: variance that is rounding error.
        shrinkage: "ledoit_wolf": shrink by Ledoit and Wolf's formula; "auto": do so where a direction has no variance,
            else use the covariance as it is; "none": always use it as it is.

    Raises:
        InvalidInput: shrinkage is wanted, and the fourth powers overflow or are not known.

    Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, 2004.
    """
    as_given = whitening_as_given(covariance, floor)
    width = len(covariance)
    wanted = shrinkage == "ledoit_wolf" or (shrinkage == "auto" and as_given.null_space_dim > 0)
    if not wanted or as_given.null_space_dim == width:
        return as_given
    if fourth is None:
        raise InvalidInput(
            "a covariance of merged moments cannot be shrunk without those of each class; make the moments with "
            "per_class=True, or give shrinkage='none'"
        )
    check_variance(covariance.square().sum() + fourth)
    weight = ledoit_wolf_shrinkage(covariance, fourth, samples)
    if weight == 0:
        return as_given
    target = covariance.trace() / width * torch.eye(width, dtype=covariance.dtype, device=covariance.device)
    shrunk = whitening_as_given((1 - weight) * covariance + weight * target)
    return Whitening(shrunk.matrix, as_given.null_space_dim, weight, shrunk.covariance)


def whitening_as_given(covariance: Tensor, floor: float = 0.0) -> Whitening:
    """Whiten a covariance without shrinking it: by its inverse, or where it is singular by its pseudo-inverse.

    Args:
        covariance: (D, D) float64, symmetric.
        floor: variance that is rounding error.
    """
    width = len(covariance)
    factor, failed = torch.linalg.cholesky_ex(covariance)
    pivots = factor.diagonal().square()
    if not failed and pivots.min() > max(_CLEAR_PIVOT_RATIO * float(pivots.max()), floor):
        identity = torch.eye(width, dtype=covariance.dtype, device=covariance.device)
        inverse = torch.linalg.solve_triangular(factor, identity, upper=False)
        return Whitening(inverse.T.contiguous(), 0, 0.0, covariance)
    variances, directions = torch.linalg.eigh(covariance)
    seen = variances > max(width * EPSILON * float(variances[-1]), floor)
    matrix = directions[:, seen] * variances[seen].rsqrt()
    return Whitening(matrix, width - int(seen.sum()), 0.0, covariance)


def check_variance(moments: Tensor) -> None:
    """Raise InvalidInput where products of features have overflown, so that moments are not finite."""
    if not bool(moments.isfinite().all()):
        raise InvalidInput("features are too large: their variance overflows float64; scale them down")


def ledoit_wolf_shrinkage(covariance: Tensor, fourth: float, samples: int) -> float:
    """The weight of the scaled identity that minimises the expected squared error of the covariance.

    It equals scikit-learn's `ledoit_wolf_shrinkage` of the centred samples, from sums that one pass over them gives,
    so that they need not be held in memory.

    Args:
        covariance: (D, D) float64, divided by the number of samples.
        fourth: mean fourth power of the samples' distance to their centre.
        samples: N, the number of samples.

    Returns:
        A weight in [0, 1]; 0 for a covariance of zeros.
    """
    width = len(covariance)
    squares = float(covariance.square().sum())
    from_identity = squares - float(covariance.trace()) ** 2 / width
    error = min((fourth - squares) / samples, from_identity)
    return error / from_identity if error > 0 else 0.0
