"""Tiny ImageNet's own layout, turned into a folder per class."""

from pathlib import Path

from oodkit.data.card import Card
from oodkit.errors import DataNotFound


def arrange(unpacked: Path, card: Card) -> None:
    """Make `tiny_imagenet/train/CLASS/FILE` and `tiny_imagenet/val/CLASS/FILE` of what was unpacked.

    Args:
        unpacked: folder that holds `tiny-imagenet-200`; its images are moved.
        card: gives the names of the classes, which begin with their wnid.

    Raises:
        DataNotFound: something is missing, or the list of validation images cannot be read.
    """
    source, target = unpacked / "tiny-imagenet-200", unpacked / "tiny_imagenet"
    names = {name.partition("_")[0]: name for name in card.class_names or ()}
    try:
        for wnid, name in names.items():
            (target / "val" / name).mkdir(parents=True)
            (target / "train").mkdir(exist_ok=True)
            (source / "train" / wnid / "images").rename(target / "train" / name)
        for line in (source / "val" / "val_annotations.txt").read_text(encoding="utf-8").splitlines():
            file, wnid = line.split("\t")[:2]
            (source / "val" / "images" / Path(file).name).rename(target / "val" / names[wnid] / Path(file).name)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise DataNotFound(f"tiny-imagenet-200.zip is not laid out as published: {error}") from error
