"""What sort of file an image is: its size, its format, grey or colour."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from oodkit.data.images import readable_formats

_SAME = {"MPO": "JPEG"}  # what cameras write beside their thumbnails
_GREY = frozenset({"1", "L", "LA", "La", "F"})


@dataclass(frozen=True)
class Kind:
    """What the header of an image says.

    Attributes:
        shorter_side: in pixels, as stored.
        format: such as "JPEG"; None for pixels without a file.
        grey: whether it has one channel beside alpha; None for pixels without a file, which are always RGB here.
    """

    shorter_side: int
    format: str | None
    grey: bool | None


def image_kind(data: bytes) -> Kind | None:
    """The kind of an encoded image, of which nothing is decoded; None where it is no image that is read here."""
    try:
        with Image.open(BytesIO(data), formats=readable_formats()) as image:
            side, mode, name = min(image.size), image.mode, image.format or ""
    except Exception:  # headers of hostile bytes raise errors of every kind, and decoding says which
        return None
    if name == "PPM":  # what arrays and Pillow images are handed over as
        return Kind(side, None, None)
    return Kind(side, _SAME.get(name, name), mode in _GREY or mode.startswith("I"))
