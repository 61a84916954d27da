"""The space that is left over when the principal directions of the fit rows, around a head's origin, are taken out."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oodkit.scorers.checks import check_integer
from oodkit.scorers.principal import principal
from oodkit.scorers.train import Head


@dataclass(frozen=True)
class ResidualSpace:
    """What is orthogonal to the principal space of the fit rows.

    Attributes:
        origin: (D,) float64 point that rows are taken relative to.
        basis: (D, D - d) float64 orthonormal columns.
        dim: d, how many principal directions were to be taken out.
        rank: number of directions in which the fit rows vary around the origin; with fewer than d of them, these are
            taken out.
    """

    origin: Tensor
    basis: Tensor
    dim: int
    rank: int


def residual_space(features: Tensor, head: Head | None, dim: int | None) -> ResidualSpace:
    """The residual space of fit rows.

    Args:
        features: (N, D) of any floating dtype.
        head: gives the origin; None: the mean of the rows is.
        dim: d, in 0 .. D - 1; None: `usual_dim`.

    Raises:
        InvalidInput: d is out of range.
    """
    width = features.shape[1]
    why = f"one less than the {width} dimensions"
    wanted = usual_dim(width) if dim is None else check_integer("dim", dim, 0, width - 1, why)
    found = principal(features, centre=None if head is None else head_origin(head))
    rank = len(found.variances)
    taken_out = found.directions[:, : min(wanted, rank)]
    left = found.directions[:, taken_out.shape[1] :]
    if rank < width:  # what the rows do not vary in is left over as well
        left = torch.linalg.qr(taken_out, mode="complete")[0][:, taken_out.shape[1] :]
    return ResidualSpace(found.centre, left.contiguous(), wanted, rank)


def residual_length(x: Tensor, origin: Tensor, basis: Tensor) -> Tensor:
    """Length of the part of each row, relative to the origin, that lies in the residual space.

    Args:
        x: (B, D) float32 or float64.
        origin: (D,) of any dtype.
        basis: (D, D - d) of any dtype.

    Returns:
        (B,) in the dtype of x; differentiable.
    """
    length: Tensor = torch.linalg.vector_norm((x - origin.to(x.dtype)) @ basis.to(x.dtype), dim=1)
    return length


def usual_dim(width: int) -> int:
    """Wang et al.'s number of principal directions for features of this width: 1000, 512 or half."""
    if width >= 2048:
        return 1000
    return 512 if width >= 768 else width // 2


def head_origin(head: Head) -> Tensor:
    """The point -pinv(W) b (D,), float64: the shortest of those whose logits are nearest to 0."""
    weight, bias = (part.to("cpu", torch.float64) for part in head)
    # by singular values, as pinv, which takes longer because it makes the inverse itself
    origin: Tensor = torch.linalg.lstsq(weight, -bias[:, None], driver="gelsd").solution[:, 0]
    return origin.to(head.weight.device)
