"""A small picture of an image, as text that a page can hold."""

import base64
from io import BytesIO

from PIL import Image

from oodkit.data.images import decode_image
from oodkit.errors import UnreadableImage

_QUALITY = 72


def thumbnail(content: bytes, longest_side: int) -> str | None:
    """A JPEG as a data URL, never larger than the image; None where it cannot be decoded.

    Args:
        content: the encoded image.
        longest_side: of the thumbnail, in pixels.
    """
    try:
        image = decode_image(content, "thumbnail", draft=longest_side)
    except UnreadableImage:
        return None
    image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC)
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
