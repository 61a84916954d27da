"""What lies in a folder: which entries count, which are images, and how deep folders are walked."""

# ruff: noqa: PTH112, PTH113, PTH122, PTH208 - os is ten times faster in loops, and says no where pathlib raises

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oodkit.errors import DataNotFound, nearest_names

_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".jp2"}
_PNM = {".pbm", ".pgm", ".pnm", ".ppm"}
IMAGE_EXTENSIONS = frozenset({".avif", ".bmp", ".gif", ".png", ".tif", ".tiff", ".webp", *_JPEG, *_PNM})
"""Files with other extensions are passed over; case is ignored."""


@dataclass(frozen=True)
class Listing:
    """What lies directly in a folder, sorted by name; hidden entries and `__MACOSX` are left out."""

    folders: tuple[str, ...]
    images: tuple[str, ...]
    others: tuple[str, ...]


def list_folder(folder: Path) -> Listing:
    """List a folder; raises DataNotFound when it cannot be read."""
    folders: list[str] = []
    images: list[str] = []
    others: list[str] = []
    for entry in _entries(folder):
        if _is_folder(entry):
            folders.append(entry.name)
        else:
            (images if _is_image(entry) else others).append(entry.name)
    return Listing(tuple(sorted(folders)), tuple(sorted(images)), tuple(sorted(others)))


def walk_images(root: Path, prefix: str) -> Iterator[str]:
    """Images at any depth below `root/prefix`, as paths relative to the root with "/", in no order.

    Links are followed. No folder is entered twice, nor one above the prefix, so loops of links end.

    Args:
        root: a folder.
        prefix: a folder below it, such as "train/cat/".
    """
    above = [root / prefix, *(root / prefix).parents][1:]
    seen = {_identity(folder) for folder in above[: above.index(root) + 1]}
    waiting = [prefix]
    while waiting:
        folder = waiting.pop()
        identity = _identity(root / folder)
        if identity in seen:
            continue
        seen.add(identity)
        for entry in _entries(root / folder):
            if _is_folder(entry):
                waiting.append(f"{folder}{entry.name}/")
            elif _is_image(entry):
                yield folder + entry.name


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != "__MACOSX":
                    yield entry
    except OSError as error:
        raise _unreadable(folder, error) from error


def _identity(folder: Path) -> tuple[int, int]:
    try:
        info = folder.stat()
    except OSError as error:
        raise _unreadable(folder, error) from error
    return info.st_dev, info.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_EXTENSIONS:
        return False
    # A broken link is taken, so that reading it reports it; a pipe or socket is not.
    return entry.is_symlink() or entry.is_file()


def _unreadable(folder: Path, error: OSError) -> DataNotFound:
    if os.path.isfile(folder):
        return DataNotFound(f"{str(folder)!r} is a file, not a folder; files:LIST.csv names a list of images")
    if not isinstance(error, FileNotFoundError):
        return DataNotFound(f"cannot read folder {str(folder)!r}: {error.strerror}")
    near = nearest_names(folder.name, _folders_beside(folder))
    hint = f"; did you mean {' or '.join(repr(str(folder.with_name(name))) for name in near)}?" if near else ""
    return DataNotFound(f"there is no folder {str(folder)!r}{hint}")


def _folders_beside(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder.parent)
    except OSError:
        return []
    return [name for name in names if os.path.isdir(folder.parent / name)]
