"""A folder of enough photographs to calibrate on."""

from pathlib import Path

import pytest


@pytest.fixture
def many_photos(tmp_path: Path, photograph) -> Path:
    """A flat folder of 100 PNG photographs, no two alike."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100):
        photograph(1000 + number).save(folder / f"{number:03d}.png")
    return folder
