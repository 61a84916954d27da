"""A linear classifier that stands on features: its energy."""

import torch
from torch import Tensor

from oodkit.scorers.parts import in_parts


def head_energy(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Log-sum-exp of the logits x W' + b, without ever holding the logits of many rows.

    Args:
        x: (B, D) float32 or float64.
        weight: (C, D) of any floating dtype.
        bias: (C,) of any floating dtype.

    Returns:
        (B,) in the dtype of x; differentiable.
    """
    weight, bias = weight.to(x.dtype), bias.to(x.dtype)
    return in_parts(lambda part: torch.addmm(bias, part, weight.T).logsumexp(dim=1), x, len(bias))
