"""Patches or pixels in another order, drawn evenly from all orders but that of the image.

Patches keep what lies within them and lose how they lie together; pixels keep their colours and nothing else.
"""

from functools import partial

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.views.drawn import drawn_views


def other_order(count: int, generator: torch.Generator) -> Tensor:
    """A permutation (count,) of at least two things that is not the identity."""
    identity = torch.arange(count)
    while torch.equal(order := torch.randperm(count, generator=generator), identity):
        pass
    return order


def permuted_patches(pixels: Tensor, generator: torch.Generator, per_side: int) -> Tensor:
    """uint8 (3, H, W) as a grid of per_side x per_side patches in another order.

    Where a side is no multiple of `per_side`, the few rows or columns left over stay where they are, at the end.

    Raises:
        InvalidInput: a side has fewer pixels than there are patches along it.
    """
    channels, *sides = pixels.shape
    height, width = (side // per_side for side in sides)
    if not (height and width):
        raise InvalidInput(f"an image of {sides[1]} x {sides[0]} pixels has no {per_side} x {per_side} patches")
    inner = pixels[:, : per_side * height, : per_side * width]
    grid = inner.reshape(channels, per_side, height, per_side, width).permute(1, 3, 0, 2, 4)
    patches = grid.reshape(per_side**2, channels, height, width)[other_order(per_side**2, generator)]
    moved = patches.view(per_side, per_side, channels, height, width).permute(2, 0, 3, 1, 4)
    made = pixels.clone()
    made[:, : per_side * height, : per_side * width] = moved.reshape(inner.shape)
    return made


def permuted_pixels(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """uint8 (3, H, W) with its pixels in another order, the same for the three channels.

    Raises:
        InvalidInput: an image of one pixel.
    """
    flat = pixels.flatten(1)
    if flat.shape[1] == 1:
        raise InvalidInput("an image of one pixel has no other order of its pixels")
    return flat[:, other_order(flat.shape[1], generator)].view_as(pixels)


__getattr__ = drawn_views(
    {
        "patches2_": partial(permuted_patches, per_side=2),
        "patches4_": partial(permuted_patches, per_side=4),
        "pixels": permuted_pixels,
    }
)
