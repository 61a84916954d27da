"""Steps of random augmentation: crop, flip, colours, blur. Each draws from the generator it is given."""

import math

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from oodkit.views.drawn import happens, uniform

_ATTEMPTS = 10  # to draw a crop that fits into the image
_SIGMAS = 3  # of a Gaussian that are kept to each side


def random_crop(pixels: Tensor, scale: tuple[float, float], generator: torch.Generator) -> Tensor:
    """A part of the image, resized to a square as wide as the image's shorter side.

    The square is what a backbone's centre crop keeps whole.

    Args:
        pixels: uint8 (3, H, W).
        scale: smallest and largest share of the image's area; the ratio of the sides is from 3/4 to 4/3.
        generator: to draw from.
    """
    height, width = sides = tuple(pixels.shape[-2:])
    size = sides
    for _ in range(_ATTEMPTS):
        area = height * width * uniform(*scale, generator)
        ratio = math.exp(uniform(math.log(3 / 4), math.log(4 / 3), generator))
        size = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if size[0] <= height and size[1] <= width:
            break
    tall, wide = (max(1, min(side, of)) for side, of in zip(size, sides, strict=True))
    top = int(torch.randint(height - tall + 1, (), generator=generator))
    left = int(torch.randint(width - wide + 1, (), generator=generator))
    square = [min(sides)] * 2
    made: Tensor = transforms.resized_crop(pixels, top, left, tall, wide, square, InterpolationMode.BICUBIC)
    return made


def random_flip(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored left to right, or not."""
    return pixels.flip(-1) if happens(0.5, generator) else pixels


def random_colours(pixels: Tensor, saturation: float, probability: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation, hue in random order, or none of it.

    The first two are multiplied by 0.6 to 1.4, saturation by 1 - `saturation` to 1 + `saturation`; hue moves by up to
    a tenth of a turn.
    """
    if not happens(probability, generator):
        return pixels
    factors = [uniform(0.6, 1.4, generator), uniform(0.6, 1.4, generator)]
    factors += [uniform(1 - saturation, 1 + saturation, generator), uniform(-0.1, 0.1, generator)]
    steps = (
        transforms.adjust_brightness,
        transforms.adjust_contrast,
        transforms.adjust_saturation,
        transforms.adjust_hue,
    )
    for step in torch.randperm(len(steps), generator=generator).tolist():
        pixels = steps[step](pixels, factors[step])
    return pixels


def random_grey(pixels: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Without colour, in a share of the draws."""
    return transforms.rgb_to_grayscale(pixels, num_output_channels=3) if happens(probability, generator) else pixels


def random_blur(pixels: Tensor, side: int, probability: float, generator: torch.Generator) -> Tensor:
    """A Gaussian blur of 0.1 to 2 pixels' standard deviation of an image of `side` pixels, scaled to this one."""
    if not happens(probability, generator):
        return pixels
    sigma = uniform(0.1, 2, generator) * min(pixels.shape[-2:]) / side
    reach = min(math.ceil(_SIGMAS * sigma), min(pixels.shape[-2:]) - 1)
    if reach < 1:
        return pixels
    across = transforms.gaussian_blur(pixels, [2 * reach + 1, 1], [sigma, sigma])
    blurred: Tensor = transforms.gaussian_blur(across, [1, 2 * reach + 1], [sigma, sigma])
    return blurred


def random_solarisation(pixels: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Values of at least 128 turned over, in a share of the draws."""
    return transforms.solarize(pixels, 128) if happens(probability, generator) else pixels
