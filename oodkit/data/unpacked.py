"""Data sets whose archive holds a folder per class, or one folder of images."""

from pathlib import Path

from oodkit.data.card import Card
from oodkit.data.card_dataset import CardDataset
from oodkit.data.fetch import fetch
from oodkit.data.folder import FolderDataset
from oodkit.data.image_set import ImageSet


class UnpackedDataset(CardDataset):
    """A data set that is downloaded and unpacked into the folder NAME below the data root.

    Args:
        card: the data set.
        data_root: folder with copies and downloads.
        download: whether what is missing may be downloaded.
    """

    def __init__(self, card: Card, data_root: Path, download: bool) -> None:
        super().__init__(card, data_root / card.name)
        self._data_root, self._download = data_root, download

    def _load(self, split: str) -> ImageSet:
        fetch(self.card, split, self._data_root, self._download)
        return self._checked(FolderDataset(self._data_root / self.name, self.name).load(split))
