"""Data sets that torchvision has a class for, with their images as they are stored."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.data.arrays import ArrayImageSet
from oodkit.data.card import Card
from oodkit.data.card_dataset import CardDataset
from oodkit.data.fetch import fetch
from oodkit.data.files import FileImageSet
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound

# torchvision names the same thing differently from class to class.
_FILES = ("_image_files", "_images", "imgs")
_LABELS = ("targets", "labels", "_labels")


class TorchvisionDataset(CardDataset):
    """A data set read by torchvision's own class, from the folder `torchvision` below the data root.

    The files come through our downloader, which resumes and checks; torchvision downloads nothing. Where it
    keeps file names the files themselves are the images, never decoded and encoded again; where it holds
    pixels they are given as PNM.

    Args:
        card: the data set.
        data_root: folder with copies and downloads.
        download: whether what is missing may be downloaded.
    """

    def __init__(self, card: Card, data_root: Path, download: bool) -> None:
        super().__init__(card, data_root / "torchvision")
        self._data_root, self._download = data_root, download

    def _load(self, split: str) -> ImageSet:
        assert self.card.torchvision is not None
        fetch(self.card, split, self._data_root, self._download)
        parts = [self._part(arguments) for arguments in self.card.torchvision.splits[split]]
        return self._checked(as_image_set(parts, self.name, split, self._images, self.card.all_class_names))

    @property
    def _images(self) -> Path:
        assert self.card.torchvision is not None
        return self._data_root / "torchvision" / self.card.torchvision.images

    def _part(self, arguments: Mapping[str, Any]) -> Any:
        from torchvision import datasets

        assert self.card.torchvision is not None
        read = getattr(datasets, self.card.torchvision.class_name)
        try:
            # CIFAR is a pickle: torchvision checks its md5 against the published one before it loads it.
            return read(self.origin, download=False, **arguments)
        except (RuntimeError, OSError, ValueError, KeyError, EOFError) as error:
            targets = " and ".join(str(self._data_root / path) for file in self.card.files for path in file.targets)
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DataNotFound(
                f"torchvision cannot read {self.name}: {reason}; remove {targets} and run again to download anew"
            ) from error


def as_image_set(
    parts: Sequence[Any], name: str, split: str, images: Path, class_names: tuple[str, ...] | None
) -> ImageSet:
    """The images of torchvision's data sets, one part after the other.

    Args:
        parts: data sets of one torchvision class.
        name: the data set's name.
        split: the split's name.
        images: folder that holds the images, where they are files.
        class_names: names of the classes in torchvision's order.
    """
    labels = np.concatenate([np.asarray(_first(part, _LABELS), dtype=np.int64) for part in parts])
    if hasattr(parts[0], "data"):
        pixels = [_channels_last(np.asarray(part.data)) for part in parts]
        whole = pixels[0] if len(pixels) == 1 else np.concatenate(pixels)
        return ArrayImageSet(name, split, whole, labels, class_names)
    files = [_relative(file, images) for part in parts for file in _first(part, _FILES)]
    return FileImageSet(name, split, images, files, labels, class_names)


def _first(part: Any, attributes: Sequence[str]) -> Any:
    return next(getattr(part, attribute) for attribute in attributes if hasattr(part, attribute))


def _channels_last(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # (N, 3, H, W) to (N, H, W, 3); grey (N, H, W) and (N, H, W, 3) stay.
    return pixels.transpose(0, 2, 3, 1) if pixels.ndim == 4 and pixels.shape[3] != 3 else pixels


def _relative(file: Any, folder: Path) -> str:
    path = file[0] if isinstance(file, tuple) else file  # Places365 has (path, label)
    return Path(path).relative_to(folder).as_posix()
