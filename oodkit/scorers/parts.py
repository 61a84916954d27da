"""A function of rows, computed for so few rows at once that what it makes on the way stays small."""

from collections.abc import Callable

import torch
from torch import Tensor

PART_BYTES = 32 * 2**20  # numbers that a function makes on the way, held at once


def in_parts(function: Callable[[Tensor], Tensor], rows: Tensor, width: int) -> Tensor:
    """`function(rows)`, part by part.

    Args:
        function: of (B, D) rows, one result per row that depends on this row only.
        rows: (N, D).
        width: how many numbers the function makes per row, such as C for logits; counted at 8 bytes each.

    Returns:
        What the function returns for all rows; differentiable if it is.
    """
    per_part = max(1, PART_BYTES // (8 * width))
    return torch.cat([function(part) for part in torch.split(rows, per_part)])
