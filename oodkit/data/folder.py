"""A folder of images: flat, a folder per class, or `train/` and `test/` in it."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oodkit.data.dataset import Dataset
from oodkit.data.files import FileImageSet
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, InvalidInput, nearest_names

_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".jp2"}
_PNM = {".pbm", ".pgm", ".pnm", ".ppm"}
IMAGE_EXTENSIONS = frozenset({".avif", ".bmp", ".gif", ".png", ".tif", ".tiff", ".webp", *_JPEG, *_PNM})
"""Files with other extensions are passed over; case is ignored."""

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
        top = _Listing.of(root)
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


@dataclass(frozen=True)
class _Branch:
    """One split: a folder that is flat (no classes) or has a folder per class."""

    root: Path
    prefix: str  # of the split's folder below the root: "" or "train/"
    classes: tuple[str, ...]

    def images(self, class_name: str | None = None) -> Iterator[str]:
        """Paths relative to the root, in no order."""
        if class_name is None:
            return (self.prefix + name for name in _Listing.of(self.root / self.prefix).images)
        return _walk(self.root, f"{self.prefix}{class_name}/")


@dataclass(frozen=True)
class _Listing:
    """What lies directly in a folder."""

    folders: tuple[str, ...]
    images: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "_Listing":
        folders: list[str] = []
        images: list[str] = []
        others: list[str] = []
        for entry in _entries(folder):
            if _is_folder(entry):
                folders.append(entry.name)
            else:
                (images if _is_image(entry) else others).append(entry.name)
        return cls(tuple(sorted(folders)), tuple(sorted(images)), tuple(sorted(others)))


def _branches(root: Path, top: _Listing) -> dict[str, _Branch]:
    filled = [name for name in top.folders if _holds_images(root, f"{name}/")]
    lower = {name.lower() for name in filled}
    trains, tests = lower & _TRAIN_FOLDERS, lower & _TEST_FOLDERS
    only_splits = bool(lower) and lower == trains | tests and not top.images
    if only_splits or (trains and tests):
        return {name: _branch(root, f"{name}/", _Listing.of(root / name)) for name in filled}
    return {"all": _branch(root, "", top)} if filled or top.images else {}


def _branch(root: Path, prefix: str, listing: _Listing) -> _Branch:
    classes = tuple(name for name in listing.folders if _holds_images(root, f"{prefix}{name}/"))
    if classes and listing.images:
        raise InvalidInput(
            f"in {str(root / prefix)!r} {len(listing.images)} images (the first: {listing.images[0]}) lie "
            f"beside {len(classes)} folders of images (the first: {classes[0]}); move them into a folder of "
            "their own, or list the images that you mean with files:LIST.csv"
        )
    return _Branch(root, prefix, classes)


def _holds_images(root: Path, prefix: str) -> bool:
    return next(_walk(root, prefix), None) is not None


def _walk(root: Path, prefix: str) -> Iterator[str]:
    """Images at any depth below a folder, as paths relative to the root, in no order."""
    seen = {_identity(root)}
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


def _identity(folder: Path) -> tuple[int, int]:
    info = folder.stat()
    return info.st_dev, info.st_ino


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != "__MACOSX":
                    yield entry
    except OSError as error:
        raise _unreadable_folder(folder, error) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_EXTENSIONS:  # noqa: PTH122 - 25,000 times in 0.1 s
        return False
    # A broken link is taken, so that reading it reports it; a pipe or socket is not.
    return entry.is_symlink() or entry.is_file()


def _unreadable_folder(folder: Path, error: OSError) -> DataNotFound:
    if folder.is_file():
        return DataNotFound(f"{str(folder)!r} is a file, not a folder; files:LIST.csv names a list of images")
    if not isinstance(error, FileNotFoundError):
        return DataNotFound(f"cannot read folder {str(folder)!r}: {error.strerror}")
    parent = folder.absolute().parent
    siblings = [path.name for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    near = nearest_names(folder.name, siblings)
    hint = f"; did you mean {' or '.join(repr(str(folder.with_name(n))) for n in near)}?" if near else ""
    return DataNotFound(f"there is no folder {str(folder)!r}{hint}")


def _no_images(root: Path, top: _Listing) -> DataNotFound:
    if not (top.folders or top.others):
        return DataNotFound(f"folder {str(root)!r} is empty; put images or a folder of images per class into it")
    extensions = Counter(os.path.splitext(name)[1].lower() or "none" for name in top.others)  # noqa: PTH122
    seen = f" (extensions there: {', '.join(sorted(extensions))})" if extensions else ""
    known = " ".join(sorted(IMAGE_EXTENSIONS))
    return DataNotFound(f"no images in folder {str(root)!r}{seen}; extensions that are read: {known}")
