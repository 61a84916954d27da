"""The user's own copy of ImageNet-1K, whole or as a list of its classes such as ImageNet-30."""

from collections.abc import Sequence
from pathlib import Path

from oodkit.data.card import IMAGENET_FOLDERS, Card
from oodkit.data.card_dataset import CardDataset
from oodkit.data.files import FileImageSet
from oodkit.data.folder import FolderDataset
from oodkit.data.image_set import ImageSet
from oodkit.data.listing import walk_images
from oodkit.errors import DataNotFound

_SPLITS = ("train", "val")


class ImageNetDataset(CardDataset):
    """Folders `train/WNID` and `val/WNID` in the folder imagenet1k or imagenet below the data root.

    A card with a list of wnids takes those classes alone and calls them by their names; without one all
    classes are taken, called by their wnids. Nothing is downloaded: ImageNet is given to those who ask for it.

    Args:
        card: the data set.
        data_root: folder with copies and downloads.
        download: not used.

    Raises:
        DataNotFound: there is no such folder, or it lacks a class; the message says what to put where.
    """

    def __init__(self, card: Card, data_root: Path, download: bool) -> None:
        folder = next((data_root / name for name in IMAGENET_FOLDERS if (data_root / name).is_dir()), None)
        if folder is None:
            raise DataNotFound(f"{card.name} is not below {data_root} and cannot be downloaded: {card.put_by_hand}")
        super().__init__(card, folder)
        self._folder = folder
        self.splits = tuple(name for name in _SPLITS if (folder / name).is_dir())
        if not self.splits:
            raise DataNotFound(f"{folder} has neither train nor val: {card.put_by_hand}")
        self._whole = None if card.wnids else FolderDataset(folder, card.name)
        if self._whole is not None:
            self.splits, self.class_names = self._whole.splits, self._whole.class_names

    def _load(self, split: str) -> ImageSet:
        if self._whole is not None:
            return self._checked(self._whole.load(split))
        wnids = tuple(self.card.wnids.values())
        self._need(split, wnids)
        files: list[str] = []
        labels: list[int] = []
        for label, wnid in enumerate(wnids):
            found = sorted(walk_images(self._folder, f"{split}/{wnid}/"))
            files += found
            labels += [label] * len(found)
        return self._checked(FileImageSet(self.name, split, self._folder, files, labels, self.class_names))

    def _need(self, split: str, wnids: Sequence[str]) -> None:
        missing = [wnid for wnid in wnids if not (self._folder / split / wnid).is_dir()]
        if missing:
            raise DataNotFound(
                f"{self._folder / split} lacks {len(missing)} of the {len(wnids)} class folders of {self.name} "
                f"(the first: {missing[0]}): {self.card.put_by_hand}"
            )
