"""What is written down about a data set: where it comes from, what is in it, how to get it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a listing needs no images, and so no NumPy and no Pillow
    from oodkit.data.dataset import Dataset

IMAGENET_FOLDERS = ("imagenet1k", "imagenet")
CLASS_LISTS = Path(__file__).parent / "cards" / "classes"

# Text, so that looking at a card imports no source.
SOURCES = {
    "digits": "oodkit.data.digits:Digits",
    "folder": "oodkit.data.unpacked:UnpackedDataset",
    "imagenet": "oodkit.data.imagenet:ImageNetDataset",
    "lsun": "oodkit.data.lsun:LsunDataset",
    "torchvision": "oodkit.data.torchvision_source:TorchvisionDataset",
}


@dataclass(frozen=True)
class RemoteFile:
    """A file that is downloaded, and what becomes of it.

    Attributes:
        url: where it is published.
        sha256, md5: its checksum in hex; None where unknown.
        checksum_from: where the checksum was found, or why there is none.
        size: its length in bytes; None where unknown.
        splits: the splits that need it; None for all.
        keep: path below the data root where it stays as it is; None for an archive.
        unpack: of an archive, what is taken out of it and the path below the data root where it goes.
        arrange: "module:function" that puts the unpacked folder in order first, called with it and the card.
    """

    url: str
    sha256: str | None
    md5: str | None
    checksum_from: str
    size: int | None
    splits: tuple[str, ...] | None
    keep: str | None
    unpack: Mapping[str, str]
    arrange: str | None

    @property
    def file_name(self) -> str:
        """Its name in the data root."""
        return self.url.rpartition("/")[2].partition("?")[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """Paths below the data root that are there once the file has been brought."""
        return (self.keep,) if self.keep else tuple(self.unpack.values())


@dataclass(frozen=True)
class Card:
    """A data set of the catalog.

    Attributes:
        name: what users type.
        title: its full name.
        homepage: where it is described.
        license: its terms in a line, or that none are stated.
        citation: authors, title, where and when.
        pixels: native size and file format.
        classes: how many classes there are; None without classes.
        splits: each split and its number of images as published.
        default_split: the split that is scored where none is named; None for the test split, else the only one.
        notes: what a reader of a result should know: protocol, overlaps, traps.
        put_by_hand: what to do where it cannot be downloaded; empty where it can.
        source: which kind of source reads it.
        files: what is downloaded.
        wnids: class names and ImageNet's ids, for lists of ImageNet classes.
        drop_classes: classes of the class list that are left out.
        class_list: name of the file with all class names, below `cards/classes`; None where there is none.
        torchvision: class name and, for each split, the arguments of the parts that make it up.
    """

    name: str
    title: str
    homepage: str
    license: str
    citation: str
    pixels: str
    classes: int | None
    splits: Mapping[str, int]
    default_split: str | None
    notes: tuple[str, ...]
    put_by_hand: str
    source: str
    files: tuple[RemoteFile, ...]
    wnids: Mapping[str, str]
    drop_classes: tuple[str, ...]
    class_list: str | None
    torchvision: "TorchvisionParts | None"

    @cached_property
    def all_class_names(self) -> tuple[str, ...] | None:
        """Names of all classes in label order, those that are dropped too; None where the card has no list."""
        if self.wnids:
            return tuple(self.wnids)
        if self.class_list is None:
            return None
        text = (CLASS_LISTS / f"{self.class_list}.txt").read_text(encoding="utf-8")
        return tuple(text.splitlines())

    @cached_property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes in label order, without those that are dropped; None where the card has no list."""
        names = self.all_class_names
        return names and tuple(name for name in names if name not in self.drop_classes)

    @property
    def download_size(self) -> int | None:
        """Bytes to download for all splits; None where a size is unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def open(self, data_root: Path, download: bool) -> "Dataset":
        """The data set; its splits are downloaded when they are loaded.

        A folder `NAME/all` is taken for a copy of the whole set, by class or flat.

        Args:
            data_root: folder with copies and downloads.
            download: whether what is missing may be downloaded.

        Raises:
            DataNotFound: it is not there and cannot be downloaded; the message says what to put where.
        """
        whole = data_root / self.name / "all"
        if "all" in self.splits and whole.is_dir():
            from oodkit.data.folder import FolderDataset

            return self.without_dropped(FolderDataset(whole, self.name))
        module, _, name = SOURCES[self.source].partition(":")
        source = getattr(import_module(module), name)
        dataset: Dataset = source() if self.source == "digits" else source(self, data_root, download)
        return dataset

    def without_dropped(self, dataset: "Dataset") -> "Dataset":
        """A copy that the user made, without the classes that this card drops."""
        names = dataset.class_names or ()
        kept = [name for name in names if name not in self.drop_classes]
        if len(kept) == len(names):
            return dataset
        from oodkit.data.classes import ClassSubsetDataset

        return ClassSubsetDataset(dataset, kept, self.name)


@dataclass(frozen=True)
class TorchvisionParts:
    """Which class of torchvision.datasets reads a data set.

    Attributes:
        class_name: its name there.
        images: folder of the images below torchvision's root, where they are files; ids are relative to it.
        splits: for each split, the keyword arguments of each part; parts follow one another.
    """

    class_name: str
    images: str
    splits: Mapping[str, tuple[Mapping[str, Any], ...]]
