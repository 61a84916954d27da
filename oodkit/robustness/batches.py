"""Images as batches of pixels at a backbone's input size."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from oodkit.backbones import Backbone
from oodkit.data.image_set import ImageSet
from oodkit.errors import InvalidInput

LOOKED_AT = 20  # images whose size is read


@dataclass(frozen=True)
class Batch:
    """Some images of a set.

    Attributes:
        places: their places in the set.
        pixels: (B, 3, H, W) in [0, 1], whole grey levels, on the backbone's device.
        seeds: one per image, made of the seed and the image's id: the same in whatever batch it turns up.
    """

    places: tuple[int, ...]
    pixels: Tensor
    seeds: tuple[int, ...]


def batches(
    images: ImageSet, backbone: Backbone, size: int, seed: int, places: list[int] | None = None
) -> Iterator[Batch]:
    """Batches of a set.

    Args:
        images: the set.
        backbone: whose preprocessing brings them to its input size.
        size: images in a batch.
        seed: of the draws.
        places: which images; None for all.
    """
    chosen = list(range(len(images))) if places is None else places
    for start in range(0, len(chosen), size):
        some = tuple(chosen[start : start + size])
        pixels = torch.stack([backbone.preprocess(images.open(i)) for i in some]).to(backbone.device)
        levels = (pixels * 255).round() / 255  # resized pixels may lie between grey levels
        yield Batch(some, levels, tuple(seed_of(seed, str(images.ids[i])) for i in some))


def seed_of(seed: int, identifier: str) -> int:
    """A seed of one image, of 63 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed} {identifier}".encode()).digest()[:8], "big") >> 1


def size_note(images: ImageSet, backbone: Backbone) -> str | None:
    """What to know where images are resized before they are attacked; None where the first ones are not."""
    side = backbone.image_size
    for i in range(min(len(images), LOOKED_AT)):
        width, height = images.open(i).size
        if (width, height) != (side, side):
            return (
                f"images of {images.name} are resized to {side} x {side} before they are attacked ({images.ids[i]} is "
                f"{width} x {height}): eps is meant at that size"
            )
    return None


def check_size(backbone: Backbone) -> None:
    """Refuse a backbone that would resize images of its own input size; raises InvalidInput."""
    side = backbone.image_size
    pixels = torch.arange(3 * side * side, dtype=torch.float32).reshape(1, 3, side, side).remainder(256).to(torch.uint8)
    if not torch.equal(backbone.preprocessing.fit([pixels[0]])[0], pixels[0]):
        raise InvalidInput(
            f"{backbone.name} enlarges and crops images of its own input size, so that a saved image would not score "
            f"as attacked; name the size: image_size={side} (--image-size {side})"
        )
