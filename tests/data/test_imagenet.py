"""The user's own ImageNet: whole, and thirty classes of it."""

from pathlib import Path

import pytest

from oodkit.data.catalog import catalog
from oodkit.errors import DataNotFound
from tests.data.pictures import write_pictures

CARD = catalog["imagenet30"]
WNIDS = tuple(CARD.wnids.values())

pytestmark = pytest.mark.filterwarnings("ignore:.*as published")


def imagenet(root: Path, splits: tuple[str, ...] = ("train", "val"), also: tuple[str, ...] = ("n01440764",)) -> None:
    """A folder with an image of each of the thirty classes, and of others."""
    write_pictures(root, [f"{split}/{wnid}/{wnid}_1.JPEG" for split in splits for wnid in (*also, *WNIDS)])


@pytest.mark.parametrize("folder", ["imagenet1k", "imagenet"])
def test_thirty_classes_are_taken_and_called_by_their_names(tmp_path: Path, folder: str) -> None:
    """In the order of names, not of ids; other classes are left out."""
    imagenet(tmp_path / folder)

    dataset = CARD.open(tmp_path, download=False)
    images = dataset.load("test")

    assert (dataset.splits, dataset.default_split) == (("train", "val"), "val")
    assert images.class_names == dataset.class_names == tuple(CARD.wnids)
    assert images.labels is not None
    assert images.labels.tolist() == list(range(30))
    assert images.ids[0] == "val/n12267677/n12267677_1.JPEG"
    assert images.read(0) == (tmp_path / folder / "val/n12267677/n12267677_1.JPEG").read_bytes()


def test_a_class_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Thirty are needed; the message names the first that is missing."""
    imagenet(tmp_path / "imagenet1k")
    for file in (tmp_path / "imagenet1k/val/n02690373").iterdir():
        file.unlink()
    (tmp_path / "imagenet1k/val/n02690373").rmdir()

    with pytest.raises(
        DataNotFound, match=r"val lacks 1 of the 30 class folders of imagenet30 \(the first: n02690373\): put"
    ):
        CARD.open(tmp_path, download=False).load("val")


def test_validation_images_without_class_folders_are_told(tmp_path: Path) -> None:
    """As they are published: 50,000 in one folder."""
    imagenet(tmp_path / "imagenet1k", ("train",))
    write_pictures(tmp_path / "imagenet1k/val", ["ILSVRC2012_val_00000001.JPEG"])

    with pytest.raises(DataNotFound, match="lacks 30 of the 30 class folders"):
        CARD.open(tmp_path, download=False).load("val")


def test_a_folder_without_splits_is_told(tmp_path: Path) -> None:
    """Neither train nor val."""
    imagenet(tmp_path / "imagenet1k", ("training_set",))

    with pytest.raises(DataNotFound, match="imagenet1k has neither train nor val: put the 30 classes as"):
        CARD.open(tmp_path, download=False)


def test_the_whole_set_is_called_by_ids(tmp_path: Path) -> None:
    """A folder called imagenet is found, too."""
    imagenet(tmp_path / "imagenet")

    dataset = catalog["imagenet1k"].open(tmp_path, download=False)

    assert dataset.splits == ("train", "val")
    assert dataset.class_names == tuple(sorted(("n01440764", *WNIDS)))
    assert len(dataset.load("test")) == 31


def test_fewer_images_than_published_are_warned_of(tmp_path: Path) -> None:
    """Of 39,000 training images there are thirty."""
    imagenet(tmp_path / "imagenet")

    with pytest.warns(UserWarning, match="imagenet30:train has 39,000 images as published, but 30 in"):
        CARD.open(tmp_path, download=False).load("train")
