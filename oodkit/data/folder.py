"""A folder of images: flat, a folder per class, or `train/` and `test/` in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oodkit.data.dataset import Dataset
from oodkit.data.files import FileImageSet
from oodkit.data.image_set import ImageSet
from oodkit.data.listing import IMAGE_EXTENSIONS, Listing, list_folder, walk_images
from oodkit.errors import DataNotFound, InvalidInput

_TRAIN_FOLDERS = frozenset({"train", "training"})
_TEST_FOLDERS = frozenset({"test", "testing", "val", "valid", "validation"})


class FolderDataset(Dataset):
    """The images in a folder, found by its layout.

    - Only images: one split, "all", without labels.
    - Only folders: a class each, in one split, "all". Images at any depth in a class folder are of the class.
    - Folders named as splits (train, training, test, testing, val, valid, validation; in any case): a split
      each, flat or by class. They count as splits when nothing else holds images, or when a train and a test
      folder are there (any folder beside them is then a split too, and images beside them are passed over).
      So a class named "train" among other classes stays a class.
    - Images beside class folders are an error: they may be a preview or most of the data, nobody can tell.

    Classes are sorted by name (by code point, as torchvision's ImageFolder does) and are the same for all
    splits; images are sorted by path within a class. Hidden files and folders, `__MACOSX` and files without an
    image's extension are passed over. Links are followed; a folder is not entered twice, so loops end.

    Args:
        root: the folder.
        name: what the data set is called, in results and messages.

    Raises:
        DataNotFound: no such folder, it is empty, or it holds no images.
        InvalidInput: images beside class folders.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.origin = str(root)
        self._root = root
        top = list_folder(root)
        self._branches = _branches(root, top)
        if not self._branches:
            raise _no_images(root, top)
        self.splits = tuple(self._branches)
        names = sorted({name for branch in self._branches.values() for name in branch.classes})
        self.class_names = tuple(names) or None

    def _load(self, split: str) -> ImageSet:
        branch = self._branches[split]
        if not branch.classes or self.class_names is None:
            return FileImageSet(self.name, split, self._root, sorted(branch.images()))
        label_of = {name: label for label, name in enumerate(self.class_names)}
        files: list[str] = []
        labels: list[int] = []
        for class_name in branch.classes:
            found = sorted(branch.images(class_name))
            files += found
            labels += [label_of[class_name]] * len(found)
        return FileImageSet(self.name, split, self._root, files, labels, self.class_names)


def copy_by_split(folder: Path, name: str) -> FolderDataset | None:
    """The copy in the layout `NAME/SPLIT/CLASS/FILE` that a folder holds; None for anything else, such as a download.

    Raises:
        InvalidInput: it is one, but images lie beside its class folders.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - no error for a name too long
        return None
    try:
        copy = FolderDataset(folder, name)
    except DataNotFound:
        return None
    return None if copy.splits == ("all",) else copy


@dataclass(frozen=True)
class _Branch:
    """One split: a folder that is flat (no classes) or has a folder per class."""

    root: Path
    prefix: str  # of the split's folder below the root: "" or "train/"
    classes: tuple[str, ...]

    def images(self, class_name: str | None = None) -> Iterator[str]:
        """Paths relative to the root, in no order."""
        if class_name is None:
            return (self.prefix + name for name in list_folder(self.root / self.prefix).images)
        return walk_images(self.root, f"{self.prefix}{class_name}/")


def _branches(root: Path, top: Listing) -> dict[str, _Branch]:
    filled = [name for name in top.folders if _holds_images(root, f"{name}/")]
    lower = {name.lower() for name in filled}
    trains, tests = lower & _TRAIN_FOLDERS, lower & _TEST_FOLDERS
    only_splits = bool(lower) and lower == trains | tests and not top.images
    if only_splits or (trains and tests):
        filled.sort(key=lambda name: name.lower() not in _TRAIN_FOLDERS)
        return {name: _branch(root, f"{name}/", list_folder(root / name)) for name in filled}
    return {"all": _branch(root, "", top)} if filled or top.images else {}


def _branch(root: Path, prefix: str, listing: Listing) -> _Branch:
    classes = tuple(name for name in listing.folders if _holds_images(root, f"{prefix}{name}/"))
    if classes and listing.images:
        raise InvalidInput(
            f"in {str(root / prefix)!r} {len(listing.images)} images (the first: {listing.images[0]}) lie "
            f"beside {len(classes)} folders of images (the first: {classes[0]}); move them into a folder of "
            "their own, or list the images that you mean with files:LIST.csv"
        )
    return _Branch(root, prefix, classes)


def _holds_images(root: Path, prefix: str) -> bool:
    return next(walk_images(root, prefix), None) is not None


def _no_images(root: Path, top: Listing) -> DataNotFound:
    if not (top.folders or top.others):
        return DataNotFound(f"folder {str(root)!r} is empty; put images or a folder of images per class into it")
    extensions = {Path(name).suffix.lower() or "none" for name in top.others}
    seen = f" (extensions there: {', '.join(sorted(extensions))})" if extensions else ""
    known = " ".join(sorted(IMAGE_EXTENSIONS))
    return DataNotFound(f"no images in folder {str(root)!r}{seen}; extensions that are read: {known}")
