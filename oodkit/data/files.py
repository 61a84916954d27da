"""Images that lie in files: read when asked for, never all at once."""

# ruff: noqa: PTH100, PTH116, PTH118, PTH123 - os.path is ten times faster than pathlib, and these are calls per image

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from oodkit.data.image_set import FileStamp, ImageSet
from oodkit.errors import UnreadableImage


class FileImageSet(ImageSet):
    """Image files under a root folder, in the order given. Nothing is opened before it is read.

    Args:
        name: the data set's name, without split.
        split: the split's name.
        root: the folder that `files` are relative to.
        files: (N,) paths relative to `root` with "/" between parts, or absolute; no path twice.
            They become the ids.
        labels: (N,) indices into `class_names`, or None.
        class_names: names of the classes, or None.
    """

    def __init__(
        self,
        name: str,
        split: str,
        root: Path,
        files: Sequence[str],
        labels: ArrayLike | None = None,
        class_names: tuple[str, ...] | None = None,
    ) -> None:
        self.name, self.split, self.class_names = name, split, class_names
        self.ids = [printable(file) for file in files]
        self.labels = None if labels is None else np.asarray(labels, dtype=np.int64)
        self._root = os.path.abspath(root)  # not resolved: a link in the path stays a link
        self._files = files

    def path(self, index: int) -> str:
        """Absolute path of an image's file."""
        return os.path.join(self._root, self._files[index])

    def where(self, index: int) -> str:
        """The file's path."""
        return printable(self.path(index))

    def read(self, index: int) -> bytes:
        """The file's bytes."""
        try:
            with open(self.path(index), "rb") as file:
                return file.read()
        except OSError as error:
            path = printable(self.path(index))
            raise UnreadableImage(f"cannot read image {path!r}: {error.strerror or error}") from error

    def stamp(self, index: int) -> FileStamp | None:
        """Path, size and modification time of the file now; None when it is gone."""
        try:
            info = os.stat(self.path(index))
        except OSError:
            return None
        return FileStamp(printable(self.path(index)), info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def printable(path: str) -> str:
    """The path, with bytes that are not UTF-8 escaped: such text cannot be printed, stored or hashed."""
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")
