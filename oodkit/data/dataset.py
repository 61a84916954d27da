"""What every source of images is: a name, its splits, and the images of a split when asked for."""

from abc import ABC, abstractmethod

from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, InvalidInput

# What a split is also called; the first that a data set has is taken.
_SPLIT_WORDS = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
    "val": ("val", "valid", "validation"),
    "valid": ("valid", "val", "validation"),
    "validation": ("validation", "val", "valid"),
}


class Dataset(ABC):
    """A named data set. A source implements `_load` and sets the attributes.

    Attributes:
        name: the name that was asked for, without split.
        splits: names of the splits there are, such as ("train", "test").
        class_names: names of the classes in label order, the same for all splits; None without classes.
        origin: where the images lie, as messages say it, such as a folder; may be empty.
    """

    name: str
    splits: tuple[str, ...]
    class_names: tuple[str, ...] | None
    origin: str = ""

    @abstractmethod
    def _load(self, split: str) -> ImageSet:
        """The images of a split that is one of `splits`."""

    def load(self, split: str) -> ImageSet:
        """The images of a split, as `find_split` finds it; raises DataNotFound naming the splits there are."""
        return self._load(self.require_split(split))

    def require_split(self, split: str) -> str:
        """The split that a word means; raises DataNotFound naming the splits there are."""
        found = self.find_split(split)
        if found is None:
            where = f" ({self.origin})" if self.origin and self.origin != self.name else ""
            raise DataNotFound(f"{self.name}{where} has no split {split!r}; it has: {', '.join(self.splits)}")
        return found

    def find_split(self, split: str) -> str | None:
        """The split that a word means, or None: case is ignored, a validation split stands in for a test split."""
        if split in self.splits:
            return split
        by_lower = {name.lower(): name for name in reversed(self.splits)}
        words = (split.lower(), *_SPLIT_WORDS.get(split.lower(), ()))
        return next((by_lower[word] for word in words if word in by_lower), None)

    @property
    def default_split(self) -> str:
        """The split that a name without one means: the test split, else the only one there is.

        Raises:
            InvalidInput: there are several, and none is a test split.
        """
        found = self.find_split("test")
        if found is not None:
            return found
        if len(self.splits) == 1:
            return self.splits[0]
        raise InvalidInput(
            f"{self.name} has no test split; it has: {', '.join(self.splits)}; "
            f"name one, as in {self.name}:{self.splits[0]}"
        )
