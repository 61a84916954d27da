"""From a name to images: where each kind of name is looked for, and in which order."""

# ruff: noqa: PTH111, PTH112, PTH113 - os.path says no where pathlib raises: a name too long, a home that is not there

import os
from dataclasses import dataclass
from pathlib import Path

from oodkit.data import root
from oodkit.data.classes import ClassSubsetDataset
from oodkit.data.dataset import Dataset
from oodkit.data.folder import FolderDataset, copy_by_split
from oodkit.data.image_set import ImageSet
from oodkit.data.inventory import dataset_names
from oodkit.data.names import FILES_PREFIX, HUB_PREFIX, DatasetName
from oodkit.data.sampling import halves
from oodkit.errors import DataNotFound, InvalidInput, unknown_name

Name = str | os.PathLike[str] | DatasetName


@dataclass(frozen=True)
class FitAndTest:
    """What a scorer is fitted on and what it is tested on.

    Attributes:
        fit: images to fit on.
        test: images to score; none of them is in `fit`.
        note: how one split was divided, in one line; None when the data set has a train and a test split.
    """

    fit: ImageSet
    test: ImageSet
    note: str | None


def load_dataset(
    name: Name,
    *,
    data_root: str | os.PathLike[str] | None = None,
    download: bool = True,
    prefer: str | None = None,
) -> ImageSet:
    """The images that a name stands for.

    Args:
        name: `NAME[:SPLIT][@CLASSES]`, such as "cifar10", "cifar100:train@apple,bear", "digits@0-4", "./photos",
            "files:LIST.csv" or "hub:OWNER/NAME". Without a split the test split is meant, else the only one.
        data_root: folder with copies and downloads; by default OODKIT_DATA, else the user's cache folder.
        download: whether what is missing may be downloaded.
        prefer: the split that a name without one means where the data set has it; None for the test split.

    Raises:
        UnknownName: no such data set or class; the message has the nearest names.
        DataNotFound: no such split, folder or file, or nothing in it.
        DownloadFailed: it is not here and could not be brought here.
        InvalidInput: the name cannot be read, or does not say which of several splits is meant.
    """
    parsed = _parsed(name)
    dataset = open_dataset(parsed, data_root=data_root, download=download)
    preferred = None if prefer is None else dataset.find_split(prefer)
    return dataset.load(parsed.split or preferred or dataset.default_split)


def load_fit_and_test(
    name: Name, *, data_root: str | os.PathLike[str] | None = None, seed: int = 0, download: bool = True
) -> FitAndTest:
    """The train and the test split of a data set, or two halves of one split.

    A split is halved when it was named, or when there is no train split beside it: at random by `seed`, and by
    class where there are labels. The note says so.

    Args:
        name: as in `load_dataset`.
        data_root: as in `load_dataset`.
        seed: of the division into halves.
        download: as in `load_dataset`.

    Raises:
        TooFewSamples: one image cannot be halved.
        OodkitError: whatever `load_dataset` raises.
    """
    parsed = _parsed(name)
    dataset = open_dataset(parsed, data_root=data_root, download=download)
    train, test = dataset.find_split("train"), dataset.find_split("test")
    if parsed.split is None and train is not None and test is not None:
        return FitAndTest(dataset.load(train), dataset.load(test), None)
    whole = dataset.load(parsed.split or dataset.default_split)
    fit, rest = halves(whole, seed)
    if parsed.split is not None:
        why = f"{parsed} is one split"
    elif len(dataset.splits) == 1:
        why = f"{dataset.name} has one split"
    else:
        why = f"{dataset.name} has no train split"
    return FitAndTest(fit, rest, f"{why}: a seeded half (seed {seed}) is fitted, the other half tested")


def open_dataset(name: Name, *, data_root: str | os.PathLike[str] | None = None, download: bool = True) -> Dataset:
    """The data set that a name stands for, with all its splits and the classes that the name asks for.

    A path is a folder; `files:` and `hub:` say what they are; then come digits, a copy under the data root in the
    layout `NAME/SPLIT/CLASS/FILE`, the catalog, and any other folder under the data root.

    Args:
        name: as in `load_dataset`; a split in it must exist.
        data_root: as in `load_dataset`.
        download: as in `load_dataset`.

    Raises:
        OodkitError: whatever `load_dataset` raises.
    """
    parsed = _parsed(name)
    dataset = _source(parsed, root.data_root(data_root), download)
    if parsed.classes is not None:
        dataset = ClassSubsetDataset(dataset, parsed.classes, parsed.without_split)
    if parsed.split is not None:
        dataset.require_split(parsed.split)
    return dataset


def _parsed(name: Name) -> DatasetName:
    return name if isinstance(name, DatasetName) else DatasetName.parse(os.fspath(name))


def _source(name: DatasetName, data_root: Path, download: bool) -> Dataset:
    source = name.source
    if name.is_files:
        from oodkit.data.file_list import FileListDataset

        return FileListDataset(_path(source.removeprefix(FILES_PREFIX)), source)
    if name.is_hub:
        from oodkit.data.hub import HubDataset

        return HubDataset(source.removeprefix(HUB_PREFIX), source, download)
    if name.is_folder:
        return FolderDataset(_path(source), source)
    if source == "digits":
        from oodkit.data.digits import Digits

        return Digits()
    return _named(source, data_root, download)


def _named(source: str, data_root: Path, download: bool) -> Dataset:
    from oodkit.data.catalog import catalog

    folder = data_root / source
    if source in catalog:
        card, copy = catalog[source], copy_by_split(folder, source)
        if copy is not None:
            return card.without_dropped(copy)
        if download and not os.path.isdir(data_root) and data_root != root.default_data_root():
            raise DataNotFound(
                f"{source} is not here: the data root {data_root} does not exist; correct it, or create that folder to "
                f"download {source} into it"
            )
        return card.open(data_root, download)
    if os.path.isdir(folder):
        return FolderDataset(folder, source)
    if os.path.isfile(source):
        raise InvalidInput(f"{source!r} is a file; files:{source} reads it as a list of images")
    raise unknown_name("data set", source, dataset_names(data_root), "oodkit list datasets")


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))
