"""The sets of a suite: those of the catalog, folders of the user, and lists of images as OpenOOD has them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from oodkit.bench.suite import OwnSet, Suite
from oodkit.data import DatasetName, FitAndTest, data_root, halves, load_dataset, load_fit_and_test
from oodkit.data.dataset import Dataset
from oodkit.data.files import FileImageSet
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, InvalidInput, UnknownName

Result = TypeVar("Result")


class Sources:
    """Loads each set once.

    Args:
        suite: whose sets are loaded.
        root: the data root; None for the usual one.
        download: whether what is missing may be downloaded.
    """

    def __init__(self, suite: Suite, root: str | os.PathLike[str] | None, download: bool) -> None:
        self._own, self._root, self._download = suite.sets, root, download
        self._outs: dict[str, ImageSet] = {}
        self._ins: dict[tuple[str, int], FitAndTest] = {}

    def out(self, name: str) -> ImageSet:
        """The images of an out-set.

        Raises:
            OodkitError: it is not there; the message says where to get it.
        """
        if name not in self._outs:
            self._outs[name] = self._load_out(name)
        return self._outs[name]

    def fit_and_test(self, name: str, seed: int) -> FitAndTest:
        """What is fitted and what is tested of an in-set; raises as `out` does."""
        if (name, seed) not in self._ins:
            self._ins[name, seed] = self._load_in(name, seed)
        return self._ins[name, seed]

    def _load_out(self, name: str) -> ImageSet:
        own = self._own_set(name)
        if own is None or not own.lists:
            return self._explained(name, own, lambda: load_dataset(name, data_root=self._root, download=self._download))
        dataset = ListedDataset(own, data_root(self._root))
        return dataset.load(DatasetName.parse(name).split or dataset.default_split)

    def _load_in(self, name: str, seed: int) -> FitAndTest:
        own = self._own_set(name)
        if own is None or not own.lists:
            return self._explained(
                name, own, lambda: load_fit_and_test(name, data_root=self._root, seed=seed, download=self._download)
            )
        dataset = ListedDataset(own, data_root(self._root))
        if {"train", "test"} <= set(dataset.splits):
            return FitAndTest(dataset.load("train"), dataset.load("test"), None)
        fit, test = halves(dataset.load(dataset.default_split), seed)
        return FitAndTest(fit, test, f"{name} has one split: a seeded half (seed {seed}) is fitted, the other tested")

    def _own_set(self, name: str) -> OwnSet | None:
        return self._own.get(DatasetName.parse(name).source)

    def _explained(self, name: str, own: OwnSet | None, load: Callable[[], Result]) -> Result:
        try:
            return load()
        except UnknownName as error:
            if own is None:
                raise
            raise DataNotFound(f"{name} is not in {data_root(self._root)}: {own.get}") from error


class ListedDataset(Dataset):
    """Images that text files list, one a line: a path and, after a space, the index of its class or -1.

    Args:
        own: the folder and the lists, below the data root.
        root: the data root.

    Raises:
        DataNotFound: the folder or a list is not there.
    """

    def __init__(self, own: OwnSet, root: Path) -> None:
        assert own.images is not None
        self.name, self.origin = own.name, str(root / own.images)
        self.splits = tuple(own.lists)
        self.class_names = None
        self._own, self._root = own, root
        missing = [path for path in (own.images, *own.lists.values()) if not (root / path).exists()]
        if missing:
            raise DataNotFound(f"{own.name}: {root / missing[0]} is not there; {own.get}")

    def _load(self, split: str) -> ImageSet:
        file = self._root / self._own.lists[split]
        files, labels = [], []
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            path, _, label = line.rpartition(" ")
            if not path or not label.lstrip("-").isdigit():
                raise InvalidInput(f"{file}, line {number}: not a path and a class index, but {line!r}")
            files.append(path)
            labels.append(int(label))
        if not files:
            raise DataNotFound(f"{file} lists no images; {self._own.get}")
        known = min(labels) >= 0  # lists of out-sets say -1
        return FileImageSet(self.name, split, Path(self.origin), files, labels if known else None)
