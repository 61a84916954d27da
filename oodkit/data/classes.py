"""Some classes of a data set: what `@apple,bear,10-19` means, and the images it leaves."""

import re
from collections.abc import Sequence

import numpy as np

from oodkit.data.dataset import Dataset
from oodkit.data.image_set import ImageSet, Subset
from oodkit.errors import DataNotFound, InvalidInput, UnknownName, nearest_names

_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"(?P<first>[0-9]{1,9})(-(?P<last>[0-9]{1,9}))?")


def resolve_classes(wanted: Sequence[str], class_names: Sequence[str], dataset: str) -> tuple[int, ...]:
    """The labels that class names, indices and ranges mean, sorted, each once.

    - An item that is a class's name means that class.
    - A whole number means the class at that position, from 0; `a-b` all positions from a to b, both included.
    - Where every class name is a whole number, as in digits, numbers and ranges mean names and not positions.
    - An item that is one class's name and the position of others is an error that says how to write either.

    Args:
        wanted: the items between the commas.
        class_names: all names in label order.
        dataset: what messages call the data set.

    Raises:
        UnknownName: no such class; the message has the nearest names and the range of positions.
        InvalidInput: a reversed range, or an item with two meanings.
    """
    if len(class_names) == 0:
        raise InvalidInput(f"{dataset} has no classes to choose from; leave out '@{','.join(wanted)}'")
    numbers = _numbers(class_names)
    return tuple(sorted({label for item in wanted for label in _labels_of(item, class_names, numbers, dataset)}))


class ClassSubset(Subset):
    """The images of some classes; labels are numbered 0..C-1 in the order of the whole set's classes.

    Args:
        whole: a labelled set.
        classes: labels to keep, sorted.
        name: what the result is called, such as "digits@0-4".

    Raises:
        DataNotFound: no image is of these classes.
        InvalidInput: the set has no labels.
    """

    def __init__(self, whole: ImageSet, classes: Sequence[int], name: str) -> None:
        if whole.labels is None or whole.class_names is None:
            raise InvalidInput(f"the split {whole.split!r} of {whole.name} has no labels to choose classes by")
        kept = np.flatnonzero(np.isin(whole.labels, classes))
        if len(kept) == 0:
            raise DataNotFound(f"no image in the split {whole.split!r} of {whole.name} is of the classes of {name}")
        super().__init__(whole, kept, whole.split)
        self.name = name
        self.class_names = tuple(whole.class_names[label] for label in classes)
        self.labels = np.searchsorted(np.asarray(classes), whole.labels[kept]).astype(np.int64)


class ClassSubsetDataset(Dataset):
    """A data set of which only some classes are loaded.

    Args:
        whole: the data set with all classes.
        wanted: class names, indices and ranges, as `resolve_classes` reads them.
        name: what the result is called.
    """

    def __init__(self, whole: Dataset, wanted: Sequence[str], name: str) -> None:
        self.name, self.splits, self.origin = name, whole.splits, whole.origin
        all_names = whole.class_names or ()
        self._whole, self._classes = whole, resolve_classes(wanted, all_names, whole.name)
        self.class_names = tuple(all_names[label] for label in self._classes)

    @property
    def default_split(self) -> str:
        """The whole data set's."""
        return self._whole.default_split

    def _load(self, split: str) -> ImageSet:
        return ClassSubset(self._whole.load(split), self._classes, self.name)


def _labels_of(item: str, names: Sequence[str], numbers: Sequence[int], dataset: str) -> list[int]:
    named = [label for label, name in enumerate(names) if name == item]
    numbered: list[int] = []
    bounds = _bounds(item)
    if bounds is not None:
        first, last = bounds
        if first > last and not named:
            raise InvalidInput(f"the range {item!r} of classes is reversed; write {last}-{first}")
        if min(numbers) <= first and last <= max(numbers):
            numbered = [label for label, number in enumerate(numbers) if first <= number <= last]
    if named and numbered and named != numbered and numbers == _positions(names):
        first, last = numbered[0], numbered[-1]
        both = f"{first}-{first}" + (f",{first + 1}-{last}" if last > first else "")
        raise InvalidInput(
            f"{item!r} is the name of one class of {dataset} and the position of another: "
            f"write {named[0]}-{named[0]} for the name, or {both} for the position"
        )
    if not named and not numbered:
        raise _no_class(item, names, numbers, dataset)
    return named or numbered


def _bounds(item: str) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(item)
    if match is None:
        return None
    return int(match["first"]), int(match["last"] or match["first"])


def _numbers(names: Sequence[str]) -> Sequence[int]:
    """What numbers mean: the names where all are whole numbers, else the positions."""
    if all(_NUMBER.fullmatch(name) for name in names):
        return [int(name) for name in names]
    return _positions(names)


def _positions(names: Sequence[str]) -> Sequence[int]:
    return range(len(names))


def _no_class(item: str, names: Sequence[str], numbers: Sequence[int], dataset: str) -> UnknownName:
    near = nearest_names(item, names)
    if ":" in item:
        name, _, split = item.partition(":")
        hint = f"; a split stands before the classes, as in {dataset}:{split}@{name}"
    else:
        hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ";"
    return UnknownName(
        f"no class {item!r} in {dataset}{hint} its {len(names)} classes are numbered {min(numbers)} to {max(numbers)}"
    )
