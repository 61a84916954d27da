"""Data sets that are unpacked into folders: from the card to images."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from oodkit.data.card import Card
from oodkit.errors import DataNotFound
from tests.data.cards import write_card
from tests.data.pictures import write_pictures
from tests.data.test_fetch import archive_of
from tests.data.web import Page, Web


def card_of(web: Web, folder: Path, paths: list[str], keys: str = "", splits: str = "all = 3") -> Card:
    """A card whose archive holds these images below `top`."""
    write_pictures(folder / "made", paths)
    body = archive_of(folder / "made")
    checksum = hashlib.sha256(body).hexdigest()
    return write_card(
        folder,
        f'source = "folder"\n{keys}\n[splits]\n{splits}\n[[files]]\nurl = "{web.put("/a.tgz", Page(body))}"\n'
        f'sha256 = "{checksum}"\nchecksum_from = "here"\nunpack = {{ "top" = "things" }}\n',
    )


def test_a_folder_per_class_is_the_whole_set(web: Web, tmp_path: Path) -> None:
    """One split, "all", labelled by folder, in files of the data root."""
    card = card_of(web, tmp_path, ["bee/1.png", "ant/1.png", "ant/2.png"])

    dataset = card.open(tmp_path / "root", download=True)
    images = dataset.load("all")

    assert (dataset.name, dataset.splits, dataset.default_split) == ("things", ("all",), "all")
    assert list(images.ids) == ["ant/1.png", "ant/2.png", "bee/1.png"]
    assert images.class_names == ("ant", "bee")
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, [0, 0, 1])
    assert images.read(2) == (tmp_path / "made/bee/1.png").read_bytes()


def test_a_flat_folder_has_no_labels(web: Web, tmp_path: Path) -> None:
    """As in the subsets of the ImageNet-1K benchmarks."""
    images = card_of(web, tmp_path, ["1.png", "2.png", "3.png"]).open(tmp_path / "root", download=True).load("all")

    assert (len(images), images.labels, images.class_names) == (3, None, None)


def test_splits_are_folders_of_the_archive(web: Web, tmp_path: Path) -> None:
    """A validation split stands in for the test split."""
    paths = ["train/ant/1.png", "val/ant/1.png", "val/ant/2.png"]
    dataset = card_of(web, tmp_path, paths, splits="train = 1\nval = 2").open(tmp_path / "root", download=True)

    assert dataset.default_split == "val"
    assert [len(dataset.load(split)) for split in ("train", "test")] == [1, 2]


def test_another_number_than_published_is_warned_of(web: Web, tmp_path: Path) -> None:
    """A copy from which somebody removed an image is no longer what others measured on."""
    dataset = card_of(web, tmp_path, ["ant/1.png", "ant/2.png", "ant/3.png"]).open(tmp_path / "root", download=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset.load("all")
    (tmp_path / "root/things/ant/2.png").unlink()

    with pytest.warns(UserWarning, match="things:all has 3 images as published, but 2 in"):
        dataset.load("all")


def test_a_folder_called_all_is_a_copy_of_the_whole_set(web: Web, tmp_path: Path) -> None:
    """`NAME/all/CLASS/FILE`, without the dropped classes; nothing is downloaded."""
    keys = 'class_list = "cifar10"\ndrop_classes = ["cat"]'
    card = card_of(web, tmp_path, ["1.png"], keys)
    write_pictures(tmp_path / "root/things/all", ["bird/1.png", "cat/1.png", "dog/1.png"])

    images = card.open(tmp_path / "root", download=False).load("all")

    assert images.class_names == ("bird", "dog")
    assert list(images.ids) == ["bird/1.png", "dog/1.png"]
    assert web.requests == []


def test_without_a_download_it_is_not_found(web: Web, tmp_path: Path) -> None:
    """The data set opens, since its card is known; its images do not."""
    dataset = card_of(web, tmp_path, ["1.png"]).open(tmp_path / "root", download=False)

    with pytest.raises(DataNotFound, match=r"things is not in .* and may not be downloaded; save http"):
        dataset.load("all")
