"""A small data set of real photographs, and settings that train in a second."""

from pathlib import Path

import pytest

# 16 px, a narrow head: what a run of a few steps needs to show the rules.
SELFDISTILL = {"outputs": 16, "hidden": 16, "code": 8, "warm_up": 0}
SEMSAD = {"discriminator_batch": 8, "discriminator_epochs": 2, "patience": 0}


@pytest.fixture
def data(tmp_path, photograph) -> Path:
    """A data root with `shots` (24 train, 8 test images), `others` (16) and `copies`, which holds an image of shots."""
    for name, split, count, first in (("shots", "train", 24, 0), ("shots", "test", 8, 24), ("others", "test", 16, 40)):
        folder = tmp_path / "data" / name / split / "a"
        folder.mkdir(parents=True)
        for number in range(count):
            photograph(first + number, 24, 20).save(folder / f"{number:02}.png")
    copies = tmp_path / "data" / "copies" / "test" / "a"
    copies.mkdir(parents=True)
    photograph(3, 24, 20).save(copies / "x.png")
    return tmp_path / "data"
