"""Rows of length one."""

import torch
from torch import Tensor


def unit_rows(x: Tensor) -> Tensor:
    """Rows scaled to Euclidean length 1; a zero row stays zero.

    A row is divided by its largest entry first, so that squares neither overflow nor vanish.

    Args:
        x: (N, D) float32 or float64.

    Returns:
        (N, D) of the same dtype; differentiable.
    """
    scaled = x / _or_one(x.detach().abs().amax(dim=1, keepdim=True))
    return scaled / _or_one(torch.linalg.vector_norm(scaled, dim=1, keepdim=True))


def inverse_norms(x: Tensor) -> Tensor:
    """What each row must be multiplied by to have length 1; 0 for a zero row.

    Args:
        x: (N, D) float32 or float64.

    Returns:
        (N,) float64, finite.
    """
    norms = torch.linalg.vector_norm(x, dim=1, dtype=torch.float64)
    return torch.where(norms > 0, 1 / _or_one(norms), 0)


def _or_one(lengths: Tensor) -> Tensor:
    return torch.where(lengths > 0, lengths, torch.ones_like(lengths))
