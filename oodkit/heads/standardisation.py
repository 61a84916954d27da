"""Mean and standard deviation of every feature, and what it takes to fold them into a linear layer."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from oodkit.scorers.rows import floating

BLOCK_BYTES = 32 * 2**20  # float64 rows that are worked on at once


@dataclass(frozen=True)
class Standardisation:
    """x -> (x - mean) * factor, feature by feature.

    Attributes:
        mean: (D,) float64.
        factor: (D,) float64: 1 / unbiased standard deviation; 0 for a feature that is constant but for rounding, which
            so has no say.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """That of the rows of (N, D) features, which are read in blocks; N >= 2."""
        count, width = features.shape
        blocks = torch.split(features, max(1, BLOCK_BYTES // (8 * width)))
        mean = torch.zeros(width, dtype=torch.float64, device=features.device)
        largest = torch.zeros_like(mean)
        for block in blocks:
            mean += block.double().sum(dim=0) / count
            largest = torch.maximum(largest, block.double().abs().amax(dim=0))
        squares = torch.zeros_like(mean)
        for block in blocks:
            squares += (block.double() - mean).square().sum(dim=0)
        deviation = (squares / (count - 1)).sqrt()
        varies = deviation > 4 * torch.finfo(floating(features[:0]).dtype).eps * largest
        return cls(mean, torch.where(varies, 1 / torch.where(varies, deviation, 1), 0))

    @property
    def constant(self) -> int:
        """How many features do not vary."""
        return int((self.factor == 0).sum())

    def apply(self, x: Tensor) -> Tensor:
        """Standardised rows (B, D), in the dtype of x."""
        return (x - self.mean.to(x)).mul_(self.factor.to(x))

    def fold(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (C, D) and bias (C,) of a layer over standardised features, for features as they are; float64."""
        folded = weight.double() * self.factor
        return folded, bias.double() - folded @ self.mean
