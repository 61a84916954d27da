"""A CSV list of images, for people whose images lie where they lie."""

# ruff: noqa: PTH113, PTH118 - os.path is ten times faster than pathlib, and these are calls per image

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oodkit.data.dataset import Dataset
from oodkit.data.files import FileImageSet
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, InvalidInput, nearest_names

_COLUMNS = ("path", "label", "split")


class FileListDataset(Dataset):
    """The images that a CSV file names, in its order.

    The first line names the columns, in any order: `path`, and if wanted `label` and `split`. Others are passed
    over. Paths are relative to the CSV file's folder, or absolute. Labels are class names; classes are sorted by
    name, or by number where all are whole numbers. Without `split`, all is one split, "all".

    Args:
        file: the CSV file, in UTF-8.
        name: what the data set is called, such as "files:LIST.csv".

    Raises:
        DataNotFound: no such file, no rows, or an image that is not there.
        InvalidInput: no column `path`, an empty field, a path twice, or no CSV in UTF-8; with the line's number.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.name = name
        self.origin = str(file)
        self._folder = file.absolute().parent
        self._rows = _rows(file)
        _check_files(self._rows, self._folder, file)
        self.splits = tuple(dict.fromkeys(row.split for row in self._rows))
        labels = {row.label for row in self._rows if row.label is not None}
        self.class_names = tuple(_in_order(labels)) or None

    def _load(self, split: str) -> ImageSet:
        rows = [row for row in self._rows if row.split == split]
        paths = [row.path for row in rows]
        if self.class_names is None:
            return FileImageSet(self.name, split, self._folder, paths)
        label_of = {name: label for label, name in enumerate(self.class_names)}
        labels = [label_of[row.label] for row in rows if row.label is not None]
        return FileImageSet(self.name, split, self._folder, paths, labels, self.class_names)


@dataclass(frozen=True)
class _Row:
    line: int
    path: str
    label: str | None
    split: str


def _rows(file: Path) -> list[_Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(_parse(stream, file))
    except FileNotFoundError as error:
        raise DataNotFound(f"there is no list of images {str(file)!r}") from error
    except OSError as error:
        raise DataNotFound(f"cannot read the list of images {str(file)!r}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{str(file)!r} is not a CSV file in UTF-8: {error}") from error
    if not rows:
        raise DataNotFound(f"{str(file)!r} lists no images; write one path a line below the header path,label")
    return rows


def _parse(stream: Iterator[str], file: Path) -> Iterator[_Row]:
    reader = csv.reader(stream)
    column = _columns(next(reader, []), file)
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        values = {name: fields[i].strip() if i < len(fields) else "" for name, i in column.items()}
        missing = [name for name, value in values.items() if not value]
        if missing:
            raise InvalidInput(f"{str(file)!r}, line {reader.line_num}: no {missing[0]}")
        yield _Row(reader.line_num, values["path"], values.get("label"), values.get("split", "all"))


def _columns(header: list[str], file: Path) -> dict[str, int]:
    """Where each column is that is known."""
    names = [name.strip().lower() for name in header]
    if "path" not in names:
        raise InvalidInput(
            f"{str(file)!r}, line 1: no column 'path', but {','.join(header) or 'nothing'}; write a header path[,label]"
        )
    for name in set(names) - set(_COLUMNS):
        near = nearest_names(name, _COLUMNS)
        if near and near[0] not in names:  # a slip would silently lose all labels
            raise InvalidInput(f"{str(file)!r}, line 1: no column is called {name!r}; did you mean {near[0]!r}?")
    return {name: names.index(name) for name in _COLUMNS if name in names}


def _check_files(rows: list[_Row], folder: Path, file: Path) -> None:
    lines: dict[str, int] = {}
    for row in rows:
        if not os.path.isfile(os.path.join(folder, row.path)):
            raise DataNotFound(f"{str(file)!r}, line {row.line}: there is no file {row.path!r} in {str(folder)!r}")
        if row.path in lines:
            raise InvalidInput(f"{str(file)!r}, line {row.line}: {row.path!r} stands in line {lines[row.path]} too")
        lines[row.path] = row.line


def _in_order(labels: set[str]) -> list[str]:
    """Sorted by name, or by number where all are whole numbers."""
    if all(label.isascii() and label.isdigit() for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)
