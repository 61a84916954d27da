"""From a decoded image to a square of 8-bit pixels at the backbone's input size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from oodkit.errors import InvalidInput

# Beyond this ratio of sides only the middle of an image can reach the centre crop: the rest is cut off
# before resizing, so that a strip of 1 x 50,000 pixels does not become one of 256 x 12,800,000.
WIDEST_RATIO = 8
TOGETHER_BYTES = 2**20  # larger images are resized one by one, in memory that does not grow with the batch


@dataclass(frozen=True)
class Preprocessing:
    """Resize, centre crop and normalisation of a backbone.

    Resizing works on 8-bit pixels with antialiasing by torch; it differs from Pillow's by at most two grey levels.

    Attributes:
        size: side of the square that the backbone sees, in pixels.
        resize: length of the shorter side before the centre crop, in pixels.
        interpolation: "bicubic", "bilinear" or "nearest".
        mode: "shortest" keeps the aspect ratio and crops the centre; "squash" resizes both sides to `size`.
        mean: per channel, in units of [0, 1].
        std: per channel, in units of [0, 1].
    """

    size: int
    resize: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear", "nearest"] = "bicubic"
    mode: Literal["shortest", "squash"] = "shortest"

    def __post_init__(self) -> None:
        """Refuse sizes and constants that cannot work."""
        if not 1 <= self.size <= self.resize:
            raise InvalidInput(
                f"image size must be at least 1 and at most the resized side, got {self.size} of {self.resize}"
            )
        if min(self.std) <= 0:
            raise InvalidInput(f"std must be positive in every channel, got {self.std}")
        if self.interpolation not in ("bicubic", "bilinear", "nearest"):
            raise InvalidInput(
                f"interpolation {self.interpolation!r} is not supported; choose bicubic, bilinear or nearest"
            )

    def at_size(self, size: int) -> "Preprocessing":
        """Bicubic resize of the shorter side to `size` and a centre crop of `size`, with the same normalisation."""
        if size < 8:
            raise InvalidInput(f"image size must be at least 8 pixels, got {size}")
        return Preprocessing(size=size, resize=size, mean=self.mean, std=self.std)

    def fit(self, images: Sequence[Tensor]) -> Tensor:
        """Resize and crop images of any sizes.

        Args:
            images: uint8 tensors (3, H, W); those of one size are resized together.

        Returns:
            (B, 3, size, size) uint8, in the order given, channels last in memory.
        """
        if not images:
            return torch.empty((0, 3, self.size, self.size), dtype=torch.uint8)
        alike = all(image.shape == images[0].shape for image in images)
        if alike and images[0].numel() <= TOGETHER_BYTES:
            fitted = self._fit_alike(torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2))
        else:
            fitted = torch.cat([self._fit_alike(image[None]) for image in images])
        return fitted.contiguous(memory_format=torch.channels_last)

    def normalise(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> the same shape, standardised per channel; differentiable."""
        mean = torch.tensor(self.mean, dtype=pixels.dtype, device=pixels.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, dtype=pixels.dtype, device=pixels.device).view(1, 3, 1, 1)
        return (pixels - mean) / std

    def _fit_alike(self, pixels: Tensor) -> Tensor:  # (B, 3, H, W) uint8
        if self.mode == "squash":
            return self._resized(pixels, self.size, self.size)
        pixels = _cut_overlong(pixels)
        height, width = pixels.shape[-2:]
        short = min(height, width)
        pixels = self._resized(pixels, self.resize * height // short, self.resize * width // short)
        top = round((pixels.shape[-2] - self.size) / 2)
        left = round((pixels.shape[-1] - self.size) / 2)
        return pixels[..., top : top + self.size, left : left + self.size]

    def _resized(self, pixels: Tensor, height: int, width: int) -> Tensor:
        if pixels.shape[-2:] == (height, width):
            return pixels
        smooth = self.interpolation != "nearest"
        return torch.nn.functional.interpolate(
            pixels,
            size=(height, width),
            mode=self.interpolation if smooth else "nearest-exact",
            antialias=smooth,
            align_corners=False if smooth else None,
        )


def pixels_of(image: Image.Image) -> Tensor:
    """An RGB image as a uint8 tensor (3, H, W), channels last in memory: torch resizes that twice as fast."""
    if image.mode != "RGB":
        image = image.convert("RGB")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _cut_overlong(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[-2:]
    longest = WIDEST_RATIO * min(height, width)
    if height > longest:
        top = (height - longest) // 2
        return pixels[..., top : top + longest, :]
    if width > longest:
        left = (width - longest) // 2
        return pixels[..., left : left + longest]
    return pixels
