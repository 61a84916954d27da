"""The image at a lower source resolution: `resolutionN` shrinks its shorter side to N pixels.

Two sets that differ in resolution are told apart by blur alone once both are enlarged to a backbone's input. Shrunk to
one source resolution first, they no longer are.
"""

import torch
from torch import Tensor

from oodkit.views.resolution_names import side_of_name
from oodkit.views.view import View


def __getattr__(name: str) -> View:
    """The view of a name of the family."""
    side = side_of_name(name)
    if side is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return View(name, lambda pixels: shrunk(pixels, side))


def shrunk(pixels: Tensor, side: int) -> Tensor:
    """uint8 (3, H, W) with its shorter side at `side` pixels, bicubic and antialiased, aspect ratio kept.

    An image that is smaller already stays as it is: enlarging would not bring it to the resolution of the others.
    """
    height, width = pixels.shape[-2:]
    short = min(height, width)
    if short <= side:
        return pixels
    size = (side * height // short, side * width // short)
    return torch.nn.functional.interpolate(pixels[None], size=size, mode="bicubic", antialias=True)[0]
