"""Splits and classes in the name of a set, against what is known of it before any image is read."""

import os

from oodkit.bench.suite import OwnSet
from oodkit.data import DatasetName, ImageSet, open_dataset
from oodkit.data.catalog import catalog
from oodkit.data.classes import resolve_classes
from oodkit.data.dataset import Dataset
from oodkit.errors import DataNotFound, OodkitError


def check_split_and_classes(name: DatasetName, own: OwnSet | None, data_root: str | os.PathLike[str] | None) -> None:
    """Refuse a split or class that a set does not have; of a set that is not here, what its card says counts.

    Args:
        name: of a set.
        own: what the suite file says of it; None where it says nothing.
        data_root: folder of data sets; None for the usual one.

    Raises:
        OodkitError: no such split or class; the message has those there are.
    """
    if name.split is None and name.classes is None:
        return
    known = _known(name, own, data_root)
    if known is None:
        return
    if name.split is not None:
        known.require_split(name.split)
    if name.classes is not None and (known.class_names is not None or own is not None):
        resolve_classes(name.classes, known.class_names or (), name.source)


def _known(name: DatasetName, own: OwnSet | None, data_root: str | os.PathLike[str] | None) -> Dataset | None:
    if own is not None and own.lists:
        return _Described(own.name, tuple(own.lists), None)
    if name.is_hub:
        return None
    try:
        return open_dataset(DatasetName(name.source), data_root=data_root, download=False)
    except (OodkitError, OSError):
        card = catalog.get(name.source)
        return None if card is None else _Described(name.source, tuple(card.splits), card.class_names)


class _Described(Dataset):
    """A set of which no image is here."""

    def __init__(self, name: str, splits: tuple[str, ...], class_names: tuple[str, ...] | None) -> None:
        self.name, self.origin, self.splits, self.class_names = name, "", splits, class_names

    def _load(self, split: str) -> ImageSet:
        raise DataNotFound(f"{self.name}:{split} is not here")
