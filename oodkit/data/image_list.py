"""Images that somebody has at hand: paths, Pillow images, arrays, tensors, or a mix."""

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from numpy.typing import NDArray
from PIL import Image

from oodkit.data.files import FileImageSet
from oodkit.data.image_set import FileStamp, ImageSet
from oodkit.data.images import rgb_image
from oodkit.data.listing import IMAGE_EXTENSIONS
from oodkit.data.loading import load_dataset
from oodkit.data.pixel_arrays import PixelArray, is_pixels, pixel_arrays
from oodkit.errors import DataNotFound, InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

_log = logging.getLogger(__name__)

Item = Union[str, os.PathLike[str], Image.Image, NDArray[Any], "Tensor"]
Images = ImageSet | Item | Iterable[Item]


def as_image_set(images: Images, split: str = "test") -> ImageSet:
    """An image set of whatever holds images.

    Args:
        images: an image set; a data set's name or a folder; one Pillow image, image file, array or tensor; or several
            of these in any mix. Pillow images are turned upright and taken as 8-bit RGB. Arrays are (H, W), (H, W, C),
            or (N, H, W, C), tensors (C, H, W) or (B, C, H, W), C being 1, 3 or 4; they hold uint8, or floats in [0, 1]
            that are not normalised; other shapes and values are refused. How an array was understood is logged at
            level INFO, and is the name of the set.
        split: the split that a name stands for where it names none and the data set has this one.

    Raises:
        DataNotFound: there is no image in it, or no such file.
        InvalidInput: something in it is none of these, or could be read in two ways.
    """
    if isinstance(images, ImageSet):
        return images
    if isinstance(images, str | os.PathLike):
        if Path(images).suffix.lower() not in IMAGE_EXTENSIONS or Path(images).is_dir():
            return load_dataset(images, prefer=split)
        images = [images]
    elif isinstance(images, Image.Image):
        images = [images]
    elif is_pixels(images):
        items, words = pixel_arrays(images)
        _log.info("understood as %s", words)
        return ImageList(items, name=words)
    elif not isinstance(images, Iterable):
        raise InvalidInput(
            f"images must be paths, Pillow images, arrays, tensors or an image set, got {type(images).__name__}"
        )
    return ImageList(list(images))


class ImageList(ImageSet):
    """Paths, Pillow images, arrays and tensors of one image each, in the order given.

    `ids` are the paths, and "image N" for the others; they are unique unless a path is given twice.
    """

    def __init__(self, items: Sequence[Item | PixelArray], name: str = "images") -> None:
        if not items:
            raise DataNotFound("no images were given; pass paths, Pillow images, arrays or an image set")
        self.name, self.split = name, "all"
        self.labels, self.class_names = None, None
        self._items = [_in_hand(item, place) for place, item in enumerate(items)]
        paths = [os.fspath(item) if isinstance(item, str | os.PathLike) else None for item in self._items]
        self.ids = [f"image {place}" if path is None else path for place, path in enumerate(paths)]
        self._files = FileImageSet(self.name, self.split, Path.cwd(), [path or "" for path in paths])

    def read(self, index: int) -> bytes:
        """The file's bytes, or the pixels in memory as binary PNM."""
        item = self._items[index]
        if isinstance(item, str | os.PathLike):
            return self._files.read(index)
        image = item.image() if isinstance(item, PixelArray) else item
        pixels = rgb_image(image, self.ids[index])
        return b"P6\n%d %d\n255\n%s" % (*pixels.size, pixels.tobytes())

    def where(self, index: int) -> str:
        """The file's path, or "image N"."""
        return self.ids[index]

    def stamp(self, index: int) -> FileStamp | None:
        """The file's stamp; None for an image in memory."""
        return self._files.stamp(index) if isinstance(self._items[index], str | os.PathLike) else None


def _in_hand(item: object, place: int) -> str | os.PathLike[str] | Image.Image | PixelArray:
    """An item of a list, checked."""
    if isinstance(item, str | os.PathLike | Image.Image | PixelArray):
        return item
    if is_pixels(item):
        if item.ndim == 4:
            raise InvalidInput(f"item {place} of shape {tuple(item.shape)} is a batch; give it alone, not in a list")
        return pixel_arrays(item, f"item {place}")[0][0]
    raise InvalidInput(f"item {place} must be a path, a Pillow image, an array or a tensor, got {type(item).__name__}")
