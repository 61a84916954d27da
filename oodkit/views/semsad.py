"""The mild and the strong views that SemSAD's discriminator learns from (Rafiee et al., arXiv 2012.00461)."""

import torch
from torch import Tensor

from oodkit.views.augmentation import random_blur, random_colours, random_crop, random_flip
from oodkit.views.drawn import drawn_views

_BLUR_SIDE = 32  # of the images that the paper blurs by 0.1 to 2 pixels


def mild(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """A crop of 0.4 to 1 of the area, flipped or not, in other colours in 0.8 of the draws."""
    cropped = random_flip(random_crop(pixels, (0.4, 1), generator), generator)
    return random_colours(cropped, 0.4, 0.8, generator)


def strong(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """A crop of 0.08 to 1 of the area, flipped or not, in other colours in 0.8 and blurred in half of the draws."""
    cropped = random_flip(random_crop(pixels, (0.08, 1), generator), generator)
    return random_blur(random_colours(cropped, 0.4, 0.8, generator), _BLUR_SIDE, 0.5, generator)


__getattr__ = drawn_views({"mild": mild, "strong": strong})
