"""What every data set is, wherever its images lie: an ordered set of images with ids and labels."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oodkit.data.images import decode_image


@dataclass(frozen=True)
class FileStamp:
    """Identity of a file that is unchanged as long as path, size and times are."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int


class ImageSet(ABC):
    """An ordered, labelled set of images that are read one at a time.

    Attributes:
        name: the name that was asked for, without split, such as "cifar100" or "digits@0-4".
        split: "train", "test", or the source's own word, such as "all".
        ids: (N,) stable identifiers, unique within the set, such as "test/apple/0012.webp".
        labels: (N,) int64 class indices into `class_names`, or None.
        class_names: names of the classes, or None.
    """

    name: str
    split: str
    ids: Sequence[str]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] | None

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The image's content, encoded: the file's bytes, or a PNM where the source holds pixels.

        Raises:
            UnreadableImage: the file is gone or cannot be read; the message names it.
        """

    def open(self, index: int) -> Image.Image:
        """The image as 8-bit RGB, EXIF orientation applied; raises UnreadableImage with its id."""
        return decode_image(self.read(index), self.where(index))

    def where(self, index: int) -> str:
        """What messages call an image: its path where it has one, else data set, split and id."""
        return f"{self.name}:{self.split} {self.ids[index]}"

    def digest(self, index: int) -> str:
        """SHA-256 (hex) of the image's encoded content."""
        return hashlib.sha256(self.read(index)).hexdigest()

    def stamp(self, index: int) -> FileStamp | None:
        """The stamp of the file behind an image, so that its digest can be remembered; None without one."""
        return None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, contents and labels: changes when any image, its order or its label does."""
        whole = hashlib.sha256()
        for index, identifier in enumerate(self.ids):
            label = -1 if self.labels is None else int(self.labels[index])
            whole.update(f"{identifier}\0{self.digest(index)}\0{label}\n".encode())
        return whole.hexdigest()

    def subset(self, indices: Sequence[int] | NDArray[np.int64], split: str | None = None) -> "ImageSet":
        """The images at `indices`, in that order, sharing their source with this set."""
        return Subset(self, np.asarray(indices, dtype=np.int64), self.split if split is None else split)


class Subset(ImageSet):
    """Some images of another set."""

    def __init__(self, whole: ImageSet, indices: NDArray[np.int64], split: str) -> None:
        self.name, self.split, self.class_names = whole.name, split, whole.class_names
        self.ids = [whole.ids[i] for i in indices]
        self.labels = None if whole.labels is None else whole.labels[indices]
        self._whole, self._indices = whole, indices

    def read(self, index: int) -> bytes:
        """The image's content, encoded."""
        return self._whole.read(int(self._indices[index]))

    def open(self, index: int) -> Image.Image:
        """The image as 8-bit RGB."""
        return self._whole.open(int(self._indices[index]))

    def digest(self, index: int) -> str:
        """SHA-256 (hex) of the image's encoded content."""
        return self._whole.digest(int(self._indices[index]))

    def where(self, index: int) -> str:
        """What messages call an image."""
        return self._whole.where(int(self._indices[index]))

    def stamp(self, index: int) -> FileStamp | None:
        """The stamp of the file behind an image, or None."""
        return self._whole.stamp(int(self._indices[index]))
