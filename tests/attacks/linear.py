"""A linear score, whose best images are known in closed form."""

import torch

from oodkit.attacks.goal import Goal


def linear(weight: torch.Tensor, direction: str = "out2in") -> Goal:
    """The score w . x of each image."""
    return Goal(lambda pixels: (pixels * weight).sum(dim=(1, 2, 3)), direction)


def images(count: int = 4, size: int = 8, seed: int = 0, low: int = 0, high: int = 255) -> torch.Tensor:
    """Random 8-bit images, (B, 3, size, size) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high + 1, (count, 3, size, size), generator=generator) / 255


def weights(size: int = 8, seed: int = 1) -> torch.Tensor:
    """(3, size, size), no entry near 0."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(3, size, size, generator=generator)
    return values + values.sign() * 0.05
