"""What a reader should know where sets are brought to one source resolution."""

from collections.abc import Mapping
from io import BytesIO

from PIL import Image

from oodkit.data.image_set import ImageSet

LOOKED_AT = 200  # images of each set, evenly spread


def resolution_notes(side: int, sets: Mapping[str, ImageSet]) -> list[str]:
    """Lines about sets that are shrunk to a shorter side of `side` pixels, and those with images below that.

    Args:
        side: in pixels.
        sets: by name; sizes of at most 200 images of each are read from their headers.
    """
    lines = [f"each image is shrunk to a shorter side of {side} px before the backbone's preprocessing"]
    for name, images in sets.items():
        places = range(0, len(images), -(-len(images) // LOOKED_AT)) if len(images) else range(0)
        smaller = sum(_shorter_side(images.read(i)) < side for i in places)
        if smaller:
            lines.append(
                f"{smaller} of {len(places)} images of {name} that were looked at are smaller than {side} px and stay "
                "as they are: choose a source resolution that none falls below"
            )
    return lines


def _shorter_side(data: bytes) -> int:
    with Image.open(BytesIO(data)) as image:
        return min(image.size)
