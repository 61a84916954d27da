"""Turned by any angle, drawn evenly from 0 to 360 degrees; corners that come from outside the image are black.

The image keeps its height and width. Pixels are interpolated: at 32 px, the nearest one would leave jagged edges that
no other image has.
"""

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from oodkit.views.drawn import drawn_views, uniform


def rotated(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """uint8 (3, H, W) turned counter-clockwise about its centre."""
    turned: Tensor = transforms.rotate(pixels, uniform(0, 360, generator), InterpolationMode.BILINEAR)
    return turned


__getattr__ = drawn_views({"rotate_any": rotated})
