"""Which data sets there are."""

from pathlib import Path

import pytest

from oodkit.data import dataset_listing, dataset_names
from oodkit.data.catalog import catalog
from tests.data.pictures import write_pictures


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_pictures(
        tmp_path, ["cifar10/test/cat/1.png", "mine/1.png", "torchvision/x/1.png", "downloads/x/1.png", ".cache/1.png"]
    )
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").touch()
    return tmp_path


def line(name: str, root: Path) -> str:
    return next(row for row in dataset_listing(root) if row.split()[0] == name)


def test_names_are_those_of_the_catalog_and_of_folders(root: Path) -> None:
    """Each once, sorted; files, hidden folders and torchvision's own folder are no data sets."""
    assert dataset_names(root) == sorted({*catalog, "mine", "empty"})
    assert dataset_names(root / "no such folder") == sorted(catalog)


def test_a_line_says_what_is_here(root: Path) -> None:
    """A copy and a folder by their own splits, a card by the published ones, and why one cannot be used."""
    assert line("cifar10", root).split()[1:5] == ["test", "here,", "a", "folder"]
    assert "no card" in line("mine", root)
    assert "train 50,000, test 10,000" in line("cifar100", root)
    assert "to download, " in line("cifar100", root)
    assert "by hand" in line("imagenet1k", root)
    assert "here" in line("digits", root)
    assert "is empty" in line("empty", root)


def test_every_name_has_one_line(root: Path) -> None:
    """In the order of names, without line breaks."""
    rows = dataset_listing(root)
    assert [row.split()[0] for row in rows] == dataset_names(root)
    assert all(len(row.splitlines()) == 1 for row in rows)
