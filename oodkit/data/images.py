"""Encoded bytes to 8-bit RGB pixels: the one place where images are decoded."""

import struct
import warnings
from functools import cache
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from oodkit.errors import UnreadableImage

# Pillow's other readers are left out: some start programs (EPS), none holds photographs.
_FORMATS = ("JPEG", "PNG", "WEBP", "PPM", "GIF", "BMP", "TIFF", "AVIF", "MPO", "JPEG2000")

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(data: bytes, name: str, max_pixels: int | None = None, *, draft: int | None = None) -> Image.Image:
    """Decode an image to 8-bit RGB, as Pillow's own `convert("RGB")` does; safe to call from threads.

    - EXIF orientation is applied: the image is turned the way a viewer shows it.
    - Of an animation or a file of many pages, the first frame is taken.
    - Alpha is dropped, not blended: transparent pixels keep the colour that is stored for them.
    - Grey and 1-bit images get three equal channels; palettes are looked up; colour profiles are not used.
    - 16-bit colour keeps its high bytes. 16-bit or float grey is clipped to 0..255, not scaled, as Pillow
      does: most of such an image turns white (or, of floats up to 1, black), and a UserWarning says so.

    Args:
        data: the file's content.
        name: what messages call the image, such as its id.
        max_pixels: a limit that is lower than Pillow's own.
        draft: for a thumbnail: a shorter side in pixels, down to which a JPEG may be decoded in less time.

    Raises:
        UnreadableImage: empty, truncated, no image, a format that is not read, or more pixels than `max_pixels` or
            `PIL.Image.MAX_IMAGE_PIXELS` (a decompression bomb); one line with the name and the reason.
    """
    if not data:
        raise UnreadableImage(f"cannot read image {name!r}: it is empty (0 bytes)")
    try:
        image = Image.open(BytesIO(data), formats=readable_formats())
    except Exception as error:  # decoders meet hostile bytes with errors of every kind
        raise UnreadableImage(f"cannot read image {name!r}: {_reason(error, data)}") from error
    _refuse_bomb(image, name, max_pixels)
    if draft is not None:
        image.draft("RGB", (draft, draft))
    return rgb_image(image, name)


def rgb_image(image: Image.Image, name: str) -> Image.Image:
    """A Pillow image that somebody opened, as `decode_image` gives it: upright, first frame, 8-bit RGB.

    Raises:
        UnreadableImage: it cannot be loaded, as when its file is truncated.
    """
    try:
        _refuse_bomb(image, name, Image.MAX_IMAGE_PIXELS)
        image.load()
        return _to_rgb(_upright(image), name)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(f"cannot read image {name!r}: {_reason(error, b'')}") from error


@cache
def readable_formats() -> tuple[str, ...]:
    Image.init()  # registers all plugins at once: threads that do so half-way see formats missing
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _refuse_bomb(image: Image.Image, name: str, limit: int | None) -> None:
    # Pillow only warns up to twice its limit, and a warning filter is global state.
    if limit is not None and image.width * image.height > limit:
        size = f"{image.width} x {image.height} pixels"
        raise UnreadableImage(f"cannot read image {name!r}: {size} is above the limit of {limit:,} pixels")


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except (SyntaxError, struct.error, ValueError, TypeError, KeyError, OSError):
        return image  # damaged metadata beside sound pixels
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info.clear()  # else whoever applies the orientation again turns it twice
    return turned


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        _warn_of_clipping(image)
    if "transparency" in image.info:  # alpha is dropped anyway; Pillow would warn about it
        image = image.copy()
        del image.info["transparency"]
    return image.convert("RGB")


def _warn_of_clipping(image: Image.Image) -> None:
    low, high = image.getextrema()
    if low < 0 or high > 255 or (image.mode == "F" and high <= 1):  # type: ignore[operator]
        warnings.warn(
            "images with more than 8 bits per grey value are clipped to 0..255, as Pillow converts them: "
            "most of their content is lost; save them as 8 bit first",
            stacklevel=2,
        )


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, UnidentifiedImageError):
        if data[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            return "it is an HTML page, not an image"
        return f"not an image of a format that is read here ({', '.join(readable_formats())})"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more pixels than the limit of {Image.MAX_IMAGE_PIXELS or 0:,}"
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
