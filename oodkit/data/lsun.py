"""LSUN's test images, read from their LMDB database."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from oodkit.data.card import Card
from oodkit.data.card_dataset import CardDataset
from oodkit.data.fetch import fetch
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, MissingDependency, UnreadableImage

# A database may not be opened twice in one process, and not be used in a fork of it: process and database by folder.
_OPEN: dict[str, tuple[int, Any]] = {}


class LsunDataset(CardDataset):
    """The scenes in `torchvision/test_lmdb` below the data root, as they are stored (WebP), without labels.

    torchvision's own class is not used: it keeps the keys in a pickle in the working directory and loads
    whatever pickle of that name lies there.

    Args:
        card: the data set.
        data_root: folder with copies and downloads.
        download: whether what is missing may be downloaded.
    """

    def __init__(self, card: Card, data_root: Path, download: bool) -> None:
        super().__init__(card, data_root / "torchvision" / "test_lmdb")
        self._data_root, self._download = data_root, download

    def _load(self, split: str) -> ImageSet:
        _lmdb()  # before a download that would be of no use
        fetch(self.card, split, self._data_root, self._download)
        return self._checked(LmdbImageSet(self.name, split, Path(self.origin)))


class LmdbImageSet(ImageSet):
    """Encoded images that are the values of an LMDB database, in the order of their keys, which are the ids.

    Args:
        name: the data set's name, without split.
        split: the split's name.
        folder: the database.

    Raises:
        MissingDependency: `lmdb` is not installed.
        DataNotFound: there is no database, or it is damaged.
    """

    def __init__(self, name: str, split: str, folder: Path) -> None:
        self.name, self.split, self.labels, self.class_names = name, split, None, None
        self._folder = str(folder)
        try:
            with self._database().begin() as transaction:
                self._keys = list(transaction.cursor().iternext(keys=True, values=False))
        except _lmdb().Error as error:
            raise DataNotFound(f"{folder} is not an LMDB database, or it is damaged: {error}") from error
        self.ids = [key.decode("utf-8", "backslashreplace") for key in self._keys]

    def read(self, index: int) -> bytes:
        """The image as it is stored."""
        try:
            with self._database().begin() as transaction:
                value: bytes | None = transaction.get(self._keys[index])
        except _lmdb().Error as error:
            raise UnreadableImage(f"cannot read image {self.ids[index]!r} from {self._folder}: {error}") from error
        if value is None:
            raise UnreadableImage(f"image {self.ids[index]!r} is no longer in {self._folder}")
        return value

    def _database(self) -> Any:
        process, database = _OPEN.get(self._folder, (None, None))
        if process != os.getpid():
            if database is not None:
                database.close()  # inherited from the process that forked this one: its copy is not touched
            database = _lmdb().open(self._folder, readonly=True, lock=False, create=False, readahead=False)
            _OPEN[self._folder] = (os.getpid(), database)
        return database


def _lmdb() -> Any:
    try:
        return import_module("lmdb")
    except ImportError as error:
        raise MissingDependency("lsun needs the package 'lmdb'; pip install 'oodkit-vision[lsun]'") from error
