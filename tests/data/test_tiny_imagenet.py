"""Tiny ImageNet's layout, turned into folders."""

from pathlib import Path

import pytest

from oodkit.data.catalog import catalog
from oodkit.data.folder import FolderDataset
from oodkit.data.tiny_imagenet import arrange
from oodkit.errors import DataNotFound
from tests.data.pictures import write_pictures

CARD = catalog["tiny_imagenet"]
NAMES = CARD.class_names or ()
WNIDS = [name.partition("_")[0] for name in NAMES]


def unpacked(folder: Path) -> Path:
    """One training image a class; two validation images of the first class, one of the last; a test image."""
    top = folder / "tiny-imagenet-200"
    write_pictures(top, [f"train/{wnid}/images/{wnid}_0.JPEG" for wnid in WNIDS])
    write_pictures(top, [f"val/images/val_{i}.JPEG" for i in range(3)] + ["test/images/test_0.JPEG"])
    for wnid in WNIDS:
        (top / "train" / wnid / f"{wnid}_boxes.txt").write_text("boxes")
    lines = [f"val_{i}.JPEG\t{WNIDS[which]}\t0\t0\t9\t9" for i, which in enumerate((0, -1, 0))]
    (top / "val/val_annotations.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_images_are_sorted_into_folders_of_classes(tmp_path: Path) -> None:
    """Training images by their folder, validation images by the list; unlabelled test images are left out."""
    arrange(unpacked(tmp_path), CARD)

    dataset = FolderDataset(tmp_path / "tiny_imagenet", "tiny_imagenet")
    assert (dataset.splits, dataset.class_names) == (("train", "val"), NAMES)
    assert len(dataset.load("train")) == 200
    images = dataset.load("val")
    assert [file.rpartition("/")[2] for file in images.ids] == ["val_0.JPEG", "val_2.JPEG", "val_1.JPEG"]
    assert images.labels is not None
    assert images.labels.tolist() == [0, 0, 199]


@pytest.mark.parametrize("line", ["val_9.JPEG\tn01443537\t0", "val_0.JPEG\tn99999999\t0", "val_0.JPEG"])
def test_another_layout_is_told(tmp_path: Path, line: str) -> None:
    """A file that is missing, a class that is unknown, a list of another form."""
    (unpacked(tmp_path) / "tiny-imagenet-200/val/val_annotations.txt").write_text(line)

    with pytest.raises(DataNotFound, match="is not laid out as published"):
        arrange(tmp_path, CARD)
