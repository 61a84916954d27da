"""CSV lists of images."""

from pathlib import Path

import numpy as np
import pytest

from oodkit.data.file_list import FileListDataset
from oodkit.errors import DataNotFound, InvalidInput, OodkitError
from tests.data.pictures import write_pictures


def dataset(folder: Path, text: str) -> FileListDataset:
    file = folder / "list.csv"
    file.write_bytes(text.encode())
    return FileListDataset(file, "files:list.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path, ["a.png", "sub/b.png", "c, d.png", "../outside.png"])
    return tmp_path


def test_paths_are_relative_to_the_list_and_keep_its_order(folder: Path) -> None:
    """Below it, beside it, absolute; the working folder does not matter."""
    absolute = f"{folder}/c, d.png"
    images = dataset(folder, f'path\nsub/b.png\n"{absolute}"\na.png\n../outside.png\n').load("all")
    assert list(images.ids) == ["sub/b.png", absolute, "a.png", "../outside.png"]
    assert images.labels is None
    assert [images.open(i).getpixel((0, 0))[0] for i in range(4)] == [1, 2, 0, 3]


def test_labels_are_class_names_in_order_of_name(folder: Path) -> None:
    """Columns in any order and case, quotes, blank lines, a byte-order mark and CRLF as spreadsheets write them."""
    images = dataset(folder, '\ufeffLabel, PATH ,note\r\nzebra,a.png,x\r\n\r\n"ant, red",sub/b.png,\r\n').load("all")
    assert images.class_names == ("ant, red", "zebra")
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, [1, 0])


def test_numbers_as_labels_are_sorted_as_numbers(folder: Path) -> None:
    """10 comes after 9."""
    images = dataset(folder, "path,label\na.png,10\nsub/b.png,9\n").load("all")
    assert images.class_names == ("9", "10")


def test_a_split_column_makes_splits_with_the_same_classes(folder: Path) -> None:
    """Splits in order of first appearance; classes are those of the whole list."""
    listed = dataset(folder, 'path,label,split\na.png,x,train\nsub/b.png,y,test\n"c, d.png",y,train\n')
    assert listed.splits == ("train", "test")
    test = listed.load("test")
    assert (list(test.ids), test.class_names) == (["sub/b.png"], ("x", "y"))
    assert test.labels is not None
    np.testing.assert_array_equal(test.labels, [1])


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", InvalidInput, "line 1: no column 'path', but nothing; write a header"),
        ("a.png\nsub/b.png\n", InvalidInput, r"line 1: no column 'path', but a\.png; write a header"),
        ("path;label\na.png;x\n", InvalidInput, "line 1: no column 'path'"),
        ("path,lable\na.png,x\n", InvalidInput, "line 1: no column is called 'lable'; did you mean 'label'"),
        ("path,label\n", DataNotFound, "lists no images"),
        ("path,label\na.png,x\nsub/b.png,\n", InvalidInput, "line 3: no label"),
        ("path,label\na.png,x\n\nsub/b.png\n", InvalidInput, "line 4: no label"),
        ("path,label\n,x\n", InvalidInput, "line 2: no path"),
        ("path\na.png\nno.png\n", DataNotFound, r"line 3: there is no file 'no\.png'"),
        ("path\nsub\n", DataNotFound, "line 2: there is no file 'sub'"),
        ("path\na.png\nsub/b.png\na.png\n", InvalidInput, r"line 4: 'a\.png' stands in line 2 too"),
        ("path\na\0.png\n", OodkitError, "line"),
        ('path\n"' + "x" * 200_000, OodkitError, "CSV|no file"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(folder: Path, text: str, kind: type[Exception], message: str) -> None:
    """A header, a field, a file or a row that is missing or there twice: one line that says where."""
    with pytest.raises(kind, match=message) as caught:
        dataset(folder, text)
    assert len(str(caught.value).splitlines()) == 1
    assert "list.csv" in str(caught.value)


def test_a_list_that_is_not_text_or_not_there_says_so(tmp_path: Path) -> None:
    """An image in place of the list, a folder, and nothing at all."""
    write_pictures(tmp_path, ["a.png"])
    with pytest.raises(InvalidInput, match="is not a CSV file in UTF-8"):
        FileListDataset(tmp_path / "a.png", "x")
    with pytest.raises(DataNotFound, match="cannot read the list"):
        FileListDataset(tmp_path, "x")
    with pytest.raises(DataNotFound, match="there is no list of images"):
        FileListDataset(tmp_path / "none.csv", "x")
