"""Principal directions: the orthogonal directions along which rows vary most."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from oodkit.scorers.checks import check_integer, check_number
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.whitening import EPSILON, check_variance

# Shares of variance closer than this are the same, so that rounding does not decide on a further direction.
_SAME_SHARE = 1e-12
# A variance of this many squared rounding errors of a row may be nothing but rounding.
_ROUNDING_ERRORS = 100


@dataclass(frozen=True)
class Principal:
    """The directions in which rows vary, all those where the variance is more than rounding error.

    Attributes:
        centre: (D,) the point around which they vary.
        scale: (D,) what each centred column was divided by; 1 for none.
        variances: (r,) mean squared projection on each direction, in descending order.
        directions: (D, r) orthonormal columns.
    """

    centre: Tensor
    scale: Tensor
    variances: Tensor
    directions: Tensor

    def reaching(self, share: float) -> int:
        """The smallest number of directions that hold this share, in (0, 1], of the variance; 0 if there is none."""
        if len(self.variances) == 0:
            return 0
        held = self.variances.cumsum(dim=0)
        return int((held < (share - _SAME_SHARE) * held[-1]).sum()) + 1

    def leading(self, variance: float, components: int | None, at_least: int = 0) -> tuple[Tensor, list[str]]:
        """The leading directions, as many as a user asks for.

        Args:
            variance: share of the variance that they shall hold, in (0, 1].
            components: their number instead, `at_least` .. D; where there are fewer, all.
            at_least: the smallest number that is allowed.

        Returns:
            (D, q) orthonormal columns, and what the user should know: a plain statement or none.

        Raises:
            InvalidInput: a parameter is out of range.
        """
        width, rank = self.directions.shape
        if components is None:
            check_number("variance", variance, "a share in (0, 1]", lambda share: 0 < share <= 1)
            count = self.reaching(variance)
        else:
            wanted = check_integer("components", components, at_least, width, "the number of dimensions")
            count = min(wanted, rank)
        notes = []
        if rank == 0:
            notes.append("all fit samples are equal, so there are no principal directions")
        elif components is not None and rank < components:
            notes.append(f"the fit samples vary in {rank} directions only: these are used, not components={components}")
        if count == width:
            notes.append(
                f"all {width} directions are taken and none is left out, so all rows are reconstructed exactly"
            )
        return self.directions[:, :count].contiguous(), notes


def principal(
    features: Tensor,
    prepare: Callable[[Tensor], Tensor] | None = None,
    centre: Tensor | None = None,
    standardise: bool = False,
) -> Principal:
    """The principal directions of rows, from their covariance or, with no more rows than dimensions, from the rows.

    Args:
        features: (N, D) of any floating dtype, N >= 1.
        prepare: applied to each float64 block of rows first, such as `unit_rows`; may change their width.
        centre: (D,) float64 point around which the rows vary; None: their mean.
        standardise: divide each centred column by its standard deviation, if that is not 0.

    Returns:
        All in float64, on the device of the features.

    Raises:
        InvalidInput: features so large that their variance overflows.
    """
    first = features[:1].to(torch.float64)
    width = (first if prepare is None else prepare(first)).shape[1]
    few = len(features) <= width
    mean, moment = _centred_rows(features, prepare) if few else _covariance(features, prepare)
    column_variances = moment.square().mean(dim=0) if few else moment.diagonal()
    scale = torch.ones_like(mean)
    if standardise:
        scale = torch.where(column_variances > 0, column_variances.sqrt(), scale)
    offset = torch.zeros_like(mean) if centre is None else mean - centre
    moment = (moment + offset) / scale if few else (moment + torch.outer(offset, offset)) / torch.outer(scale, scale)
    check_variance(moment.square() if few else moment)
    if few:
        _, singular, rows = torch.linalg.svd(moment, full_matrices=False)
        variances, directions = singular.square() / len(features), rows.T
    else:
        variances, directions = (found.flip(-1) for found in torch.linalg.eigh(moment))
    length = float((mean / scale).square().sum() + variances.sum())
    rounding = max(10 * width * EPSILON * float(variances[0]), _ROUNDING_ERRORS * EPSILON**2 * length)
    rank = int((variances > rounding).sum())
    return Principal(mean - offset, scale, variances[:rank], directions[:, :rank].contiguous())


def residual_norm(x: Tensor, directions: Tensor) -> Tensor:
    """Length of what is left of each row when its projection on some directions is taken away.

    Args:
        x: (B, D) centred rows.
        directions: (D, q) orthonormal columns, of the same dtype.

    Returns:
        (B,), differentiable; exactly 0 where the directions are all there are.
    """
    if directions.shape[0] == directions.shape[1]:  # nothing is left; rounding would rank rows by chance
        return x[:, 0] * 0
    length: Tensor = torch.linalg.vector_norm(x - (x @ directions) @ directions.T, dim=1)
    return length


def _centred_rows(features: Tensor, prepare: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor]:
    rows = features.to(torch.float64)
    if prepare is not None:
        rows = prepare(rows)
    rows, origin = rows - rows[0], rows[0]  # first, so that a large offset costs no digits
    mean = rows.mean(dim=0)
    return mean + origin, rows - mean


def _covariance(features: Tensor, prepare: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor]:
    gaussian = class_gaussians(features, None, prepare)
    return gaussian.mean, gaussian.total
