"""Images that a source holds as an array of pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from oodkit.data.image_set import ImageSet


class ArrayImageSet(ImageSet):
    """Images of one size in memory; `read` gives them as binary PNM, which loses nothing.

    Args:
        name: the data set's name, without split.
        split: the split's name.
        pixels: (N, H, W) grey or (N, H, W, 3) RGB, uint8.
        labels: (N,) indices into `class_names`, or None.
        class_names: names of the classes, or None.
        ids: (N,) unique identifiers; by default the position, with leading zeros.
    """

    def __init__(
        self,
        name: str,
        split: str,
        pixels: NDArray[np.uint8],
        labels: ArrayLike | None = None,
        class_names: tuple[str, ...] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        assert pixels.dtype == np.uint8, pixels.dtype
        assert pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] == 3), pixels.shape
        self.name, self.split, self.class_names = name, split, class_names
        digits = len(str(max(len(pixels) - 1, 0)))
        self.ids = [f"{i:0{digits}d}" for i in range(len(pixels))] if ids is None else ids
        self.labels = None if labels is None else np.asarray(labels, dtype=np.int64)
        self._pixels = pixels

    def read(self, index: int) -> bytes:
        """The image as binary PNM: P5 for grey, P6 for RGB."""
        pixels = self._pixels[index]
        height, width = pixels.shape[:2]
        kind = b"P5" if pixels.ndim == 2 else b"P6"
        return b"%s\n%d %d\n255\n%s" % (kind, width, height, pixels.tobytes())

    def open(self, index: int) -> Image.Image:
        """The image as 8-bit RGB, straight from the array."""
        return Image.fromarray(self._pixels[index]).convert("RGB")
