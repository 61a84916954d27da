"""Which data sets there are: names, and a line about each."""

import os
from pathlib import Path

from oodkit.data.card import Card
from oodkit.data.catalog import catalog
from oodkit.data.root import data_root as find_data_root
from oodkit.errors import DataNotFound, OodkitError

_NOT_DATASETS = frozenset({"downloads", "torchvision"})  # where archives wait and torchvision's files lie


def dataset_names(data_root: str | os.PathLike[str] | None = None) -> list[str]:
    """Names of the catalog and of folders under the data root, sorted."""
    return sorted({*catalog, *_folders(find_data_root(data_root))})


def dataset_listing(data_root: str | os.PathLike[str] | None = None) -> list[str]:
    """A line for each name: the name, its splits, whether it is here, its terms; in columns."""
    root = find_data_root(data_root)
    rows = [_row(name, root) for name in dataset_names(root)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]


def _row(name: str, root: Path) -> tuple[str, str, str, str]:
    from oodkit.data.folder import FolderDataset, copy_by_split

    in_catalog = name in catalog
    card = catalog[name] if in_catalog else None
    try:
        found = FolderDataset(root / name, name) if card is None else copy_by_split(root / name, name)
    except OodkitError as error:
        return name, "", "here, but cannot be used", str(error)
    license = "no card" if card is None else card.license
    if found is not None:
        return name, ", ".join(found.splits), "here, a folder", license
    assert card is not None
    return name, ", ".join(f"{split} {count:,}" for split, count in card.splits.items()), _state(card, root), license


def _state(card: Card, root: Path) -> str:
    if card.files:
        if all((root / target).exists() for file in card.files for target in file.targets):
            return "here"
        size = card.download_size
        return "to download" if size is None else f"to download, {size / 1e6:,.0f} MB"
    try:
        card.open(root, download=False)
    except DataNotFound:
        return "to be put there by hand"
    return "here"


def _folders(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return [e.name for e in entries if e.is_dir() and e.name[0] != "." and e.name not in _NOT_DATASETS]
    except OSError:
        return []
