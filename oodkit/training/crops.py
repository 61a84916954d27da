"""Random views of training images; they draw from torch's global generator, which the caller seeds and puts back."""

import math

import torch
from torch import Tensor
from torchvision.transforms import v2

from oodkit.training.settings import Shift
from oodkit.views.permutation import permuted_patches, permuted_pixels
from oodkit.views.rotate_any import rotated

GLOBAL, LOCAL = (0.4, 1.0), (0.15, 0.4)  # shares of the area
MILD, STRONG, CONTRASTIVE = (0.4, 1.0), (0.08, 1.0), (0.08, 1.0)
_BLUR = (0.1, 2.0)  # standard deviations in pixels
_BLUR_SIDE = 224  # of the images that self-distillation blurs so


class CropRecipe:
    """A crop of the multi-crop recipe of self-distillation.

    Args:
        size: side in pixels.
        scale: smallest and largest share of the area.
        blur: probability of a blur.
        solarise: probability of turning bright values over.
        full_size: side of a global crop, which blurs are scaled by.
    """

    def __init__(self, size: int, scale: tuple[float, float], blur: float, solarise: float, full_size: int) -> None:
        self.cut = v2.Compose([_crop(size, scale, v2.InterpolationMode.BICUBIC), v2.RandomHorizontalFlip()])
        sigma = tuple(value * full_size / _BLUR_SIDE for value in _BLUR)
        self.colour = v2.Compose(
            [
                v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
                v2.RandomGrayscale(0.2),
                v2.RandomApply([_blur(sigma)], p=blur),
                v2.RandomSolarize(128, p=solarise),
            ]
        )

    def __call__(self, pixels: Tensor, shift: Shift = "none") -> Tensor:  # (3, H, W) uint8 -> (3, size, size)
        """A crop, shifted: turned before its colours change, or in another order after that."""
        made: Tensor = self.cut(pixels)
        turned = shift in ("rotate", "rotate_any")
        made = self.colour(shifted(made, shift) if turned else made)
        return made if turned else shifted(made, shift)


class MultiCrop:
    """Positive and negative crops of an image.

    Args:
        global_size, local_size: sides in pixels.
        local_crops: positive ones beside two global ones.
        negative_local_crops: negative ones beside one global one.
        shift: what makes negatives.
    """

    def __init__(
        self, global_size: int, local_size: int, local_crops: int, negative_local_crops: int, shift: Shift
    ) -> None:
        self.globals = [
            CropRecipe(global_size, GLOBAL, blur=1.0, solarise=0.0, full_size=global_size),
            CropRecipe(global_size, GLOBAL, blur=0.1, solarise=0.2, full_size=global_size),
        ]
        self.local = CropRecipe(local_size, LOCAL, blur=0.5, solarise=0.0, full_size=global_size)
        self.local_crops, self.negative_local_crops, self.shift = local_crops, negative_local_crops, shift

    def positive(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Two global crops (2, 3, G, G) and local ones (n, 3, L, L), uint8."""
        whole = torch.stack([recipe(pixels) for recipe in self.globals])
        return whole, self._locals(pixels, self.local_crops, "none")

    def negative(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """One global crop (1, 3, G, G), by either recipe, and local ones (m, 3, L, L), all shifted."""
        recipe = self.globals[int(torch.randint(2, ()))]
        return recipe(pixels, self.shift)[None], self._locals(pixels, self.negative_local_crops, self.shift)

    def _locals(self, pixels: Tensor, count: int, shift: Shift) -> Tensor:
        made = [self.local(pixels, shift) for _ in range(count)]
        size = self.local.cut.transforms[0].size
        return torch.stack(made) if made else torch.empty((0, 3, *size), dtype=torch.uint8)


def contrastive_view(size: int) -> v2.Transform:
    """What the two views of an image are made by that SemSAD's encoder brings together."""
    return v2.Compose(
        [
            _crop(size, CONTRASTIVE),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            v2.RandomGrayscale(0.2),
        ]
    )


def mild_view(size: int) -> v2.Transform:
    """What the images of SemSAD's positive pairs go through."""
    return v2.Compose(
        [
            _crop(size, MILD),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        ]
    )


def strong_view(size: int) -> v2.Transform:
    """What the second images of SemSAD's negative pairs go through."""
    return v2.Compose(
        [
            _crop(size, STRONG),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            v2.RandomApply([_blur(_BLUR)], p=0.5),
        ]
    )


def shifted(pixels: Tensor, shift: Shift) -> Tensor:  # (3, S, S) -> the same
    """Turned, or with its patches or pixels in another order; as it is for "none"."""
    if shift == "rotate":
        return pixels.rot90(int(torch.randint(1, 4, ())), (-2, -1))
    if shift == "rotate_any":
        return rotated(pixels, _own_generator())
    if shift == "patches2":
        return permuted_patches(pixels, _own_generator(), per_side=2)
    if shift == "patches4":
        return permuted_patches(pixels, _own_generator(), per_side=4)
    return permuted_pixels(pixels, _own_generator()) if shift == "pixels" else pixels


def _crop(
    size: int,
    scale: tuple[float, float],
    interpolation: v2.InterpolationMode = v2.InterpolationMode.BILINEAR,
) -> v2.Transform:
    return v2.RandomResizedCrop(size, scale=scale, interpolation=interpolation, antialias=True)


def _blur(sigma: tuple[float, ...]) -> v2.Transform:
    reach = max(1, math.ceil(3 * sigma[1]))  # three standard deviations to each side
    return v2.GaussianBlur(2 * reach + 1, sigma)


def _own_generator() -> torch.Generator:
    """A generator that the global one has seeded."""
    return torch.Generator().manual_seed(int(torch.randint(2**62, ())))
