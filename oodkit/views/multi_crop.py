"""Global and local crops of self-distillation's multi-crop recipe (Rafiee et al., ICANN 2022, after DINO).

Odd global draws are blurred always, even ones in a tenth of the draws and solarised in a fifth.
"""

from functools import partial

import torch
from torch import Tensor

from oodkit.views.augmentation import (
    random_blur,
    random_colours,
    random_crop,
    random_flip,
    random_grey,
    random_solarisation,
)
from oodkit.views.drawn import generator_of
from oodkit.views.numbered_names import number_of
from oodkit.views.view import View

GLOBAL, LOCAL = (0.4, 1.0), (0.15, 0.4)  # shares of the area
_BLUR_SIDE = 224  # of the images that the recipe blurs by 0.1 to 2 pixels


def __getattr__(name: str) -> View:
    """The view of a name of the two families."""
    if (number := number_of("global", name)) is not None:
        blur, solarise = (1.0, 0.0) if number % 2 else (0.1, 0.2)
        draw = partial(_crop, scale=GLOBAL, blur=blur, solarise=solarise)
    elif number_of("local", name) is not None:
        draw = partial(_crop, scale=LOCAL, blur=0.5, solarise=0.0)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return View(name, lambda pixels: draw(pixels, generator_of(name, pixels)))


def _crop(
    pixels: Tensor, generator: torch.Generator, scale: tuple[float, float], blur: float, solarise: float
) -> Tensor:
    cropped = random_flip(random_crop(pixels, scale, generator), generator)
    coloured = random_grey(random_colours(cropped, 0.2, 0.8, generator), 0.2, generator)
    return random_solarisation(random_blur(coloured, _BLUR_SIDE, blur, generator), solarise, generator)
