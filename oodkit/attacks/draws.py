"""Random draws, image by image: what one image gets does not depend on the others of its batch."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Draws:
    """One generator per image, on the CPU, so that every device gets the same numbers.

    Args:
        seeds: one per image.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [torch.Generator().manual_seed(seed % 2**63) for seed in seeds]

    def uniform(self, like: Tensor) -> Tensor:
        """Numbers in [0, 1), of the shape, dtype and device of `like`, (B, ...)."""
        return self._stacked(torch.rand, like)

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal numbers, of the shape, dtype and device of `like`, (B, ...)."""
        return self._stacked(torch.randn, like)

    def signs(self, like: Tensor) -> Tensor:
        """-1 or 1, of the shape, dtype and device of `like`, (B, ...)."""
        return 1 - 2 * (self.uniform(like) < 0.5).to(like.dtype)

    def _stacked(self, draw: object, like: Tensor) -> Tensor:
        assert callable(draw)
        parts = [draw(like.shape[1:], generator=one, dtype=like.dtype) for one in self._generators]
        return torch.stack(parts).to(like.device)
