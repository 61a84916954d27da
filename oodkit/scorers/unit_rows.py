"""Rows of length one."""

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.rows import floating

BLOCK = 8192  # rows whose length is computed at once
LENGTH_ERROR = 1e-3  # by which the length of a unit row may differ from 1, such as by rounding


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


def check_unit_rows(rows: Tensor, name: str) -> None:
    """Raise InvalidInput where rows are neither of length 1 nor zero, for a head that stands for such rows.

    Args:
        rows: (N, D) of any real dtype.
        name: what the message calls them, such as "features".
    """
    allowed = LENGTH_ERROR
    if rows.is_floating_point():
        allowed = max(allowed, torch.finfo(rows.dtype).eps)
    for start, block in zip(range(0, len(rows), BLOCK), torch.split(rows, BLOCK), strict=False):
        lengths = torch.linalg.vector_norm(floating(block), dim=1)
        wrong = ((lengths - 1).abs() > allowed) & (lengths != 0)
        if bool(wrong.any()):
            first = int(wrong.nonzero()[0])
            raise InvalidInput(
                f"{name} must be rows of length 1 for this head, as unit_rows gives them, but row {start + first} has "
                f"length {float(lengths[first]):.4g}; divide each row by its length"
            )


def _or_one(lengths: Tensor) -> Tensor:
    return torch.where(lengths > 0, lengths, torch.ones_like(lengths))
