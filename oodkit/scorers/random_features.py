"""Random Fourier features: finite vectors whose inner products estimate a Gaussian kernel."""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class RandomFeatures:
    """The map x -> sqrt(2 / M) cos(x W + t).

    Attributes:
        frequencies: (D, M) W.
        phases: (M,) t.

    Source: Rahimi and Recht, Random features for large-scale kernel machines, NeurIPS 2007.
    """

    frequencies: Tensor
    phases: Tensor

    @classmethod
    def draw(cls, width: int, count: int, gamma: float, seed: int) -> Self:
        """Features for the kernel exp(-gamma ||x - y||^2), float64 on the CPU; no global generator is touched.

        Args:
            width: D.
            count: M.
            gamma: positive.
            seed: the same seed draws the same features.
        """
        generator = torch.Generator().manual_seed(seed)
        normal = torch.randn(width, count, dtype=torch.float64, generator=generator)
        uniform = torch.rand(count, dtype=torch.float64, generator=generator)
        return cls(sqrt(2 * gamma) * normal, 2 * pi * uniform)

    def to(self, device: torch.device) -> "RandomFeatures":
        """The same on another device."""
        return RandomFeatures(self.frequencies.to(device), self.phases.to(device))

    def __call__(self, x: Tensor) -> Tensor:
        """Features (B, M) of rows (B, D) of the dtype of the map; differentiable."""
        return sqrt(2 / len(self.phases)) * torch.cos(torch.addmm(self.phases, x, self.frequencies))
