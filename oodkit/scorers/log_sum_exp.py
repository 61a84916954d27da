"""Log-sum-exp of cosines over a temperature, exact enough to rank by where all cosines are much alike."""

from math import log

import torch
from torch import Tensor

from oodkit.scorers.parts import in_parts


def cosine_log_sum_exp(x: Tensor, points: Tensor, temperature: float, groups: int = 1) -> Tensor:
    """Logarithm of the mean over each group of points of exp(cosine / temperature).

    Exponentials relative to the largest cosine are in the dtype of x and summed in float64, so that sums of many
    nearly equal terms keep their differences.

    Args:
        x: (B, D) unit rows, float32 or float64.
        points: (G * n, D) unit rows of the same dtype, group after group; n >= 1.
        temperature: positive.
        groups: G.

    Returns:
        (B, G) float64; differentiable in x.
    """

    def of_rows(rows: Tensor) -> Tensor:
        cosines = (rows @ points.T).view(len(rows), groups, -1)
        peaks = cosines.detach().amax(dim=2)  # a constant that cancels: no gradient through it
        sums = ((cosines - peaks[:, :, None]) / temperature).exp().sum(dim=2, dtype=torch.float64)
        return peaks.double() / temperature + sums.log() - log(cosines.shape[2])

    return in_parts(of_rows, x, len(points))
