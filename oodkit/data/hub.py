"""Data sets of the Hugging Face hub, through the `datasets` library."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.data.dataset import Dataset
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, DownloadFailed, InvalidInput, MissingDependency, UnreadableImage

_REPOSITORY = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(/(?P<configuration>\w[\w.-]*))?")
_USUAL_COLUMNS = ("image", "img", "label", "fine_label")


class HubDataset(Dataset):
    """The images of a hub data set and, where it has them, its class labels.

    Images are the column of type `Image`, labels the column of type `ClassLabel`; of several, the one that is called
    image, img, label or fine_label. A split with withheld labels (-1 or none) has no labels. Images are
    taken as they are stored. Code that comes with a data set is never run. As always with `datasets`, a folder
    OWNER/NAME in the working folder comes before the hub.

    Args:
        repository: OWNER/NAME, or OWNER/NAME/CONFIGURATION where there are several.
        name: what the data set is called, such as "hub:OWNER/NAME".
        download: False is an error unless the hub library itself is offline (HF_HUB_OFFLINE=1), since it alone
            knows what it has kept.

    Raises:
        MissingDependency: `datasets` is not installed.
        DataNotFound: the hub has no such data set, or it needs a permission.
        DownloadFailed: the hub cannot be reached, or the data set cannot be read without running its code.
        InvalidInput: no image column, or several that fit; or not OWNER/NAME.
    """

    def __init__(self, repository: str, name: str, download: bool = True) -> None:
        match = _REPOSITORY.fullmatch(repository)
        if match is None:
            raise InvalidInput(f"not a data set of the hub: {name!r}; write hub:OWNER/NAME[:SPLIT]")
        self._tables = _load_tables(match["repository"], match["configuration"], name, download)
        self.name, self.splits, self.origin = name, tuple(self._tables), "Hugging Face hub"
        features = self._tables[self.splits[0]].features
        images, labels = _columns_of("Image", features), _columns_of("ClassLabel", features)
        image_column = _one_of(images)
        if image_column is None:
            found = f"several image columns ({', '.join(images)})" if images else "no image column"
            raise InvalidInput(f"{name} has {found}; its columns: {', '.join(features)}; one must be called 'image'")
        self._image_column, self._label_column = image_column, _one_of(labels)
        self.class_names = tuple(features[self._label_column].names) if self._label_column else None

    def _load(self, split: str) -> ImageSet:
        from datasets import Image

        table = self._tables[split]
        encoded = table.select_columns([self._image_column]).cast_column(self._image_column, Image(decode=False))
        labels = self._labels(table)
        class_names = None if labels is None else self.class_names
        return _HubImageSet(self.name, split, encoded, self._image_column, labels, class_names)

    def _labels(self, table: Any) -> NDArray[np.int64] | None:
        if self._label_column is None:
            return None
        values = table.select_columns([self._label_column]).with_format("numpy")[:][self._label_column]
        labels = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=-1).astype(np.int64)
        return None if (labels < 0).any() else labels


class _HubImageSet(ImageSet):
    """Rows of a table with a column of encoded images."""

    def __init__(
        self,
        name: str,
        split: str,
        table: Any,
        column: str,
        labels: NDArray[np.int64] | None,
        class_names: tuple[str, ...] | None,
    ) -> None:
        self.name, self.split, self.labels, self.class_names = name, split, labels, class_names
        digits = len(str(max(len(table) - 1, 0)))
        self.ids = [f"{row:0{digits}d}" for row in range(len(table))]
        self._table, self._column = table, column

    def read(self, index: int) -> bytes:
        image = self._table[int(index)][self._column] or {}
        if image.get("bytes") is not None:
            return bytes(image["bytes"])
        try:
            return Path(image["path"]).read_bytes()
        except (OSError, KeyError, TypeError) as error:
            raise UnreadableImage(f"cannot read image {self.ids[index]!r} of {self.name}: {error}") from error


def _load_tables(repository: str, configuration: str | None, name: str, download: bool) -> dict[str, Any]:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{name} needs the package 'datasets'; pip install 'oodkit-vision[hub]'") from error
    if not download and not datasets.config.HF_HUB_OFFLINE:
        raise InvalidInput(f"set HF_HUB_OFFLINE=1 to read {name} without a download")
    try:
        tables = datasets.load_dataset(repository, configuration, trust_remote_code=False)
    except FileNotFoundError as error:
        raise DataNotFound(f"cannot find {name}: {_first_line(error)}") from error
    except Exception as error:  # what can go wrong in the library has no common base
        raise DownloadFailed(f"cannot load {name}: {_first_line(error)}") from error
    return dict(tables)


def _columns_of(kind: str, features: Any) -> list[str]:
    return [column for column, feature in features.items() if type(feature).__name__ == kind]


def _one_of(columns: list[str]) -> str | None:
    """The only column, or the first that has a usual name; None when there is no such."""
    if len(columns) == 1:
        return columns[0]
    return next((column for column in _USUAL_COLUMNS if column in columns), None)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
