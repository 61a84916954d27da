"""Images that somebody has at hand: paths, Pillow images, or a mix."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from oodkit.data.files import FileImageSet
from oodkit.data.image_set import FileStamp, ImageSet
from oodkit.data.images import rgb_image
from oodkit.data.listing import IMAGE_EXTENSIONS
from oodkit.data.loading import load_dataset
from oodkit.errors import DataNotFound, InvalidInput

Images = ImageSet | str | os.PathLike[str] | Image.Image | Iterable[str | os.PathLike[str] | Image.Image]


def as_image_set(images: Images, split: str = "test") -> ImageSet:
    """An image set of whatever holds images.

    Args:
        images: an image set; a data set's name or a folder; one Pillow image or image file; or several paths and
            Pillow images in any mix. Pillow images are turned upright and taken as 8-bit RGB.
        split: the split that a name stands for where it names none and the data set has this one.

    Raises:
        DataNotFound: there is no image in it, or no such file.
        InvalidInput: something in it is neither a path nor a Pillow image.
    """
    if isinstance(images, ImageSet):
        return images
    if isinstance(images, str | os.PathLike):
        if Path(images).suffix.lower() not in IMAGE_EXTENSIONS or Path(images).is_dir():
            return load_dataset(images, prefer=split)
        images = [images]
    elif isinstance(images, Image.Image):
        images = [images]
    elif not isinstance(images, Iterable):
        raise InvalidInput(f"images must be paths, Pillow images or an image set, got {type(images).__name__}")
    return ImageList(list(images))


class ImageList(ImageSet):
    """Paths and Pillow images, in the order given.

    `ids` are the paths, and "image N" for Pillow images; they are unique unless a path is given twice.
    """

    def __init__(self, items: Sequence[str | os.PathLike[str] | Image.Image]) -> None:
        if not items:
            raise DataNotFound("no images were given; pass paths, Pillow images or an image set")
        for place, item in enumerate(items):
            if not isinstance(item, str | os.PathLike | Image.Image):
                raise InvalidInput(f"item {place} must be a path or a Pillow image, got {type(item).__name__}")
        self.name, self.split = "images", "all"
        self.labels, self.class_names = None, None
        self._items = items
        paths = [None if isinstance(item, Image.Image) else os.fspath(item) for item in items]
        self.ids = [f"image {place}" if path is None else path for place, path in enumerate(paths)]
        self._files = FileImageSet(self.name, self.split, Path.cwd(), [path or "" for path in paths])

    def read(self, index: int) -> bytes:
        """The file's bytes, or the Pillow image's pixels as binary PNM."""
        item = self._items[index]
        if not isinstance(item, Image.Image):
            return self._files.read(index)
        pixels = rgb_image(item, self.ids[index])
        return b"P6\n%d %d\n255\n%s" % (*pixels.size, pixels.tobytes())

    def where(self, index: int) -> str:
        """The file's path, or "image N"."""
        return self.ids[index]

    def stamp(self, index: int) -> FileStamp | None:
        """The file's stamp; None for a Pillow image."""
        return None if isinstance(self._items[index], Image.Image) else self._files.stamp(index)
