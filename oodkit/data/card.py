"""What is written down about a data set: where it comes from, what is in it, how to get it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oodkit.data.dataset import Dataset
from oodkit.errors import InvalidInput, nearest_names

_CLASS_LISTS = Path(__file__).parent / "cards" / "classes"

# Text, so that looking at a card imports no source.
_SOURCES = {
    "digits": "oodkit.data.digits:Digits",
    "folder": "oodkit.data.unpacked:UnpackedDataset",
    "imagenet": "oodkit.data.imagenet:ImageNetDataset",
    "lsun": "oodkit.data.lsun:LsunDataset",
    "torchvision": "oodkit.data.torchvision_source:TorchvisionDataset",
}
_HEX = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}


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
    torchvision: "TorchvisionParts | None" = field(default=None)

    @cached_property
    def all_class_names(self) -> tuple[str, ...] | None:
        """Names of all classes in label order, those that are dropped too; None where the card has no list."""
        if self.wnids:
            return tuple(self.wnids)
        if self.class_list is None:
            return None
        text = (_CLASS_LISTS / f"{self.class_list}.txt").read_text(encoding="utf-8")
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

    def open(self, data_root: Path, download: bool) -> Dataset:
        """The data set, whose splits are downloaded when they are loaded.

        Args:
            data_root: folder with copies and downloads.
            download: whether what is missing may be downloaded.

        Raises:
            DataNotFound: it is not there and cannot be downloaded; the message says what to put where.
        """
        module, _, name = _SOURCES[self.source].partition(":")
        source = getattr(import_module(module), name)
        dataset: Dataset = source() if self.source == "digits" else source(self, data_root, download)
        return dataset


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


def read_card(path: Path) -> Card:
    """Read and check one card.

    Raises:
        InvalidInput: not TOML, or a key that is unknown, missing or of the wrong kind; the message names both.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not a card: {error}") from error
    table = _Table(content, str(path))
    splits = table.table("splits")
    names = tuple(splits)
    card = Card(
        name=path.stem,
        title=table.text("title"),
        homepage=table.text("homepage"),
        license=table.text("license"),
        citation=table.text("citation"),
        pixels=table.text("pixels"),
        classes=table.count("classes"),
        splits=MappingProxyType({name: splits.required_count(name) for name in names}),
        default_split=table.choice("default_split", names),
        notes=table.texts("notes"),
        put_by_hand=table.text("put_by_hand", default=""),
        source=table.text("source"),
        files=tuple(_remote_file(file, names) for file in table.tables("files")),
        wnids=table.table("wnids").all_texts(),
        drop_classes=table.texts("drop_classes"),
        class_list=table.choice("class_list", _class_lists()),
        torchvision=_torchvision_parts(table, names),
    )
    table.close()
    _check(card, table)
    return card


def _remote_file(table: "_Table", splits: tuple[str, ...]) -> RemoteFile:
    file = RemoteFile(
        url=table.text("url"),
        sha256=table.text("sha256", default=None),
        md5=table.text("md5", default=None),
        checksum_from=table.text("checksum_from"),
        size=table.count("bytes"),
        splits=table.texts("splits") or None,
        keep=table.text("keep", default=None),
        unpack=table.table("unpack").all_texts(),
        arrange=table.text("arrange", default=None),
    )
    table.close()
    if not file.url.startswith(("http://", "https://")):
        raise table.wrong("url", "must begin with http:// or https://")
    for key, pattern in _HEX.items():
        if (value := getattr(file, key)) is not None and not pattern.fullmatch(value):
            raise table.wrong(key, f"is not a checksum of {pattern.pattern[9:].strip('{}')} lower-case hex digits")
    if (file.keep is None) == (not file.unpack):
        raise table.wrong("keep", "and unpack: one of the two must be there, not both")
    for target in file.targets:
        if target.startswith("/") or ".." in target.split("/"):
            raise table.wrong("unpack" if file.unpack else "keep", f"leads out of the data root: {target!r}")
    if file.splits and not set(file.splits) <= set(splits):
        raise table.wrong("splits", f"names a split that the card does not have; it has: {', '.join(splits)}")
    return file


def _torchvision_parts(table: "_Table", splits: tuple[str, ...]) -> TorchvisionParts | None:
    inner = table.table("torchvision")
    if not inner:
        return None
    class_name, images = inner.text("class"), inner.text("images", default="")
    parts = inner.table("splits")
    arguments = {name: tuple(part.all() for part in parts.tables(name)) for name in splits}
    parts.close()
    inner.close()
    if not all(arguments.values()):
        raise inner.wrong("splits", f"must have arguments for each of: {', '.join(splits)}")
    return TorchvisionParts(class_name, images, MappingProxyType(arguments))


def _check(card: Card, table: "_Table") -> None:
    if card.source not in _SOURCES:
        raise table.wrong("source", f"must be one of {', '.join(_SOURCES)}")
    if not card.splits:
        raise table.wrong("splits", "is empty")
    if (card.source == "torchvision") != (card.torchvision is not None):
        raise table.wrong("torchvision", "must be there for the source torchvision, and for no other")
    if not card.files and not card.put_by_hand:
        raise table.wrong("put_by_hand", "is missing, and so are files: one of the two must say how to get it")


def _class_lists() -> tuple[str, ...]:
    return tuple(path.stem for path in _CLASS_LISTS.glob("*.txt"))


_REQUIRED = object()


class _Table(Mapping[str, Any]):
    """A TOML table that is taken apart key by key; `close` reports what nobody asked for."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self._content, self._where = content, where
        self._asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """A text that is not empty."""
        value = self._take(key, default)
        if value is not default and (not isinstance(value, str) or not value.strip()):
            raise self.wrong(key, f"must be a text, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, f"must be a list of texts, not {value!r}")
        return tuple(value)

    def count(self, key: str) -> int | None:
        """A whole number above 0, or None where the key is missing."""
        return None if key not in self else self.required_count(key)

    def required_count(self, key: str) -> int:
        """A whole number above 0."""
        value = self._take(key, _REQUIRED)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(key, f"must be a whole number above 0, not {value!r}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of some texts, or None where the key is missing."""
        value: str | None = self.text(key, default=None)
        if value is not None and value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(sorted(allowed))}, not {value!r}")
        return value

    def table(self, key: str) -> "_Table":
        """A table inside this one, empty where the key is missing."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table, not {value!r}")
        return _Table(value, f"{self._where}: {key}")

    def tables(self, key: str) -> list["_Table"]:
        """A list of tables, empty where the key is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"must be a list of tables, not {value!r}")
        return [_Table(item, f"{self._where}: {key}[{i}]") for i, item in enumerate(value)]

    def all_texts(self) -> Mapping[str, str]:
        """Every key, each with a text."""
        return MappingProxyType({key: self.text(key) for key in self})

    def all(self) -> Mapping[str, Any]:
        """Every key with its value, whatever it is."""
        return MappingProxyType({key: self._take(key, _REQUIRED) for key in self})

    def close(self) -> None:
        """Report a key that nobody asked for."""
        for key in self:
            if key not in self._asked:
                near = nearest_names(key, self._asked, count=1)
                raise InvalidInput(
                    f"{self._where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )

    def wrong(self, key: str, why: str) -> InvalidInput:
        """The error for a key's value."""
        return InvalidInput(f"{self._where}: {key} {why}")

    def _take(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is _REQUIRED:
            raise self.wrong(key, "is missing")
        return value
