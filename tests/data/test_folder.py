"""Folders of images: which layout is what, and what is passed over."""

import os
from pathlib import Path

import numpy as np
import pytest

from oodkit.data.folder import FolderDataset, copy_by_split
from oodkit.errors import DataNotFound, InvalidInput
from tests.data.pictures import write_pictures


def test_a_flat_folder_is_one_split_without_labels(tmp_path: Path) -> None:
    """Images alone: the split "all", sorted by name, no classes."""
    write_pictures(tmp_path, ["b.png", "a.JPG", "c.webp"])

    dataset = FolderDataset(tmp_path, "photos")
    images = dataset.load("all")

    assert (dataset.splits, dataset.class_names) == (("all",), None)
    assert (images.name, images.split, images.labels, images.class_names) == ("photos", "all", None, None)
    assert list(images.ids) == ["a.JPG", "b.png", "c.webp"]


def test_a_folder_per_class_is_labelled_by_folder(tmp_path: Path) -> None:
    """Classes in order of name, their images in order of path, at any depth."""
    write_pictures(tmp_path, ["dog/2.png", "dog/1.png", "cat-big/x.png", "cat/deep/er/1.png", "cat/0.png"])

    images = FolderDataset(tmp_path, "pets").load("all")

    assert images.class_names == ("cat", "cat-big", "dog")
    assert list(images.ids) == ["cat/0.png", "cat/deep/er/1.png", "cat-big/x.png", "dog/1.png", "dog/2.png"]
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, [0, 0, 1, 2, 2])


def test_train_and_test_folders_are_splits_with_the_same_classes(tmp_path: Path) -> None:
    """A class that one split lacks keeps its number; ids name the split's folder."""
    write_pictures(tmp_path, ["train/ant/1.png", "train/cat/1.png", "test/bee/1.png", "test/cat/1.png"])

    dataset = FolderDataset(tmp_path, "x")
    train, test = dataset.load("train"), dataset.load("test")

    assert dataset.splits == ("train", "test")
    assert dataset.class_names == train.class_names == test.class_names == ("ant", "bee", "cat")
    assert list(test.ids) == ["test/bee/1.png", "test/cat/1.png"]
    assert train.labels is not None
    assert test.labels is not None
    np.testing.assert_array_equal(train.labels, [0, 2])
    np.testing.assert_array_equal(test.labels, [1, 2])


def test_a_split_may_be_flat_and_another_by_class(tmp_path: Path) -> None:
    """The flat one has no labels."""
    write_pictures(tmp_path, ["train/cat/1.png", "test/1.png", "test/2.png"])
    dataset = FolderDataset(tmp_path, "x")
    assert dataset.load("train").class_names == ("cat",)
    assert dataset.load("test").labels is None
    assert list(dataset.load("test").ids) == ["test/1.png", "test/2.png"]


@pytest.mark.parametrize("word", ["val", "valid", "validation", "Validation", "test", "Test"])
def test_a_validation_folder_is_the_test_split_where_there_is_no_other(tmp_path: Path, word: str) -> None:
    """It keeps its own name, and `test` finds it."""
    write_pictures(tmp_path, ["Train/1.png", f"{word}/1.png"])
    dataset = FolderDataset(tmp_path, "x")
    assert dataset.default_split == word
    assert dataset.load("test").split == word
    assert dataset.load("train").split == "Train"


def test_a_test_folder_comes_before_a_validation_folder(tmp_path: Path) -> None:
    """With both there, `test` is the test folder and `val` the validation folder."""
    write_pictures(tmp_path, ["train/1.png", "validation/1.png", "test/1.png"])
    dataset = FolderDataset(tmp_path, "x")
    assert dataset.default_split == "test"
    assert dataset.load("val").split == "validation"


def test_a_class_named_train_among_other_classes_is_a_class(tmp_path: Path) -> None:
    """A train among cars and boats is a vehicle."""
    write_pictures(tmp_path, ["boat/1.png", "car/1.png", "train/1.png"])
    dataset = FolderDataset(tmp_path, "vehicles")
    assert dataset.splits == ("all",)
    assert dataset.class_names == ("boat", "car", "train")


def test_a_folder_beside_train_and_test_is_a_split(tmp_path: Path) -> None:
    """With train and test there, other folders with images are splits under their own name; the rest is passed over."""
    write_pictures(tmp_path, ["train/1.png", "test/1.png", "extra/1.png", "preview.png"])
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").touch()
    assert FolderDataset(tmp_path, "svhn").splits == ("train", "extra", "test")


def test_images_beside_class_folders_are_an_error(tmp_path: Path) -> None:
    """Nobody can tell which of them are meant, so none is left out silently."""
    write_pictures(tmp_path, ["cat/1.png", "dog/1.png", "stray.png"])
    with pytest.raises(InvalidInput, match=r"1 images \(the first: stray.png\) lie beside 2 folders"):
        FolderDataset(tmp_path, "pets")


def test_hidden_files_and_other_extensions_are_passed_over(tmp_path: Path) -> None:
    """Neither a thumbnail cache nor a text file nor a folder without images counts, wherever it lies."""
    write_pictures(tmp_path, ["cat/1.png", "cat/.hidden.png", ".thumbs/1.png", "cat/.x/1.png", "__MACOSX/cat/1.png"])
    for name in ("notes.txt", "cat/Thumbs.db", "cat/png", "cat/readme"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    dataset = FolderDataset(tmp_path, "pets")
    assert dataset.class_names == ("cat",)
    assert list(dataset.load("all").ids) == ["cat/1.png"]


@pytest.mark.parametrize("extension", ["jpg", "JPEG", "png", "webp", "gif", "bmp", "tif", "TIFF", "ppm", "avif"])
def test_extensions_of_images_are_known_in_any_case(tmp_path: Path, extension: str) -> None:
    """The usual formats are taken."""
    write_pictures(tmp_path, [f"a.{extension}"])
    assert len(FolderDataset(tmp_path, "x").load("all")) == 1


def test_loops_of_links_end(tmp_path: Path) -> None:
    """Links to a folder above, to each other and to themselves neither hang nor bring an image in twice."""
    write_pictures(tmp_path, ["train/cat/1.png", "train/dog/1.png"])
    (tmp_path / "train" / "cat" / "up").symlink_to(tmp_path)
    (tmp_path / "train" / "cat" / "beside").symlink_to(tmp_path / "train")
    (tmp_path / "train" / "loop").symlink_to(tmp_path / "train")
    (tmp_path / "train" / "itself").symlink_to(tmp_path / "train" / "itself")
    dataset = FolderDataset(tmp_path, "x")
    assert list(dataset.load("train").ids) == ["train/cat/1.png", "train/dog/1.png"]


def test_links_to_folders_and_files_are_followed(tmp_path: Path) -> None:
    """A class that lies elsewhere belongs to the set; a broken link is listed, so that reading it reports it."""
    write_pictures(tmp_path, ["elsewhere/1.png", "set/cat/1.png"])
    (tmp_path / "set" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "cat" / "broken.png").symlink_to(tmp_path / "nothing.png")
    images = FolderDataset(tmp_path / "set", "x").load("all")
    assert list(images.ids) == ["cat/1.png", "cat/broken.png", "dog/1.png"]
    assert images.stamp(1) is None


def test_a_pipe_is_not_an_image(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever."""
    write_pictures(tmp_path, ["1.png"])
    os.mkfifo(tmp_path / "2.png")
    assert list(FolderDataset(tmp_path, "x").load("all").ids) == ["1.png"]


def test_a_name_that_is_not_utf8_becomes_text_that_can_be_printed(tmp_path: Path) -> None:
    """Such a file is read, and its id can be stored and hashed."""
    write_pictures(tmp_path, ["a.png"])
    try:
        os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/\xe9.png")  # noqa: PTH104 - bytes
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    images = FolderDataset(tmp_path, "x").load("all")
    assert list(images.ids) == [r"\xe9.png"]
    assert images.open(0).size == (3, 2)
    assert len(images.fingerprint) == 64


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    """Nothing there is one message, nothing that is an image another."""
    with pytest.raises(DataNotFound, match="is empty"):
        FolderDataset(tmp_path, "x")


def test_a_folder_without_images_names_what_is_there(tmp_path: Path) -> None:
    """The extensions that were seen, and those that are read."""
    (tmp_path / "a.heic").touch()
    (tmp_path / "b").touch()
    with pytest.raises(DataNotFound, match=r"no images .* \(extensions there: .heic, none\).*\.jpeg"):
        FolderDataset(tmp_path, "x")


def test_a_folder_that_is_not_there_names_one_that_is(tmp_path: Path) -> None:
    """A slip of a letter is answered with the nearest folder."""
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataNotFound, match=r"there is no folder .*photso.*did you mean .*photos'"):
        FolderDataset(tmp_path / "photso", "x")


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    """It may be a list: the message says how that is written."""
    (tmp_path / "list.csv").touch()
    with pytest.raises(DataNotFound, match="is a file, not a folder; files:"):
        FolderDataset(tmp_path / "list.csv", "x")


def test_a_copy_is_a_folder_with_splits(tmp_path: Path) -> None:
    """A folder per class may be what a download left, and is no copy; nor is what is empty or not there."""
    write_pictures(
        tmp_path, ["copy/test/cat/1.png", "download/images/cat/1.png", "stray/test/cat/1.png", "stray/test/1.png"]
    )
    (tmp_path / "empty").mkdir()
    copy = copy_by_split(tmp_path / "copy", "pets")
    assert copy is not None
    assert (copy.name, copy.splits) == ("pets", ("test",))
    for name in ("download", "empty", "none", "x" * 5000):
        assert copy_by_split(tmp_path / name, "pets") is None
    with pytest.raises(InvalidInput, match="lie beside"):
        copy_by_split(tmp_path / "stray", "pets")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """No permission is one line."""
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(DataNotFound, match="Permission denied"):
        FolderDataset(tmp_path / "locked", "x")
