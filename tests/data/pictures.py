"""Small real image files for tests."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(root: Path, paths: Iterable[str]) -> None:
    """Write a small PNG, each with pixels of its own, at every path below a folder."""
    for number, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 3, 3), number % 256, dtype=np.uint8)).save(file, "PNG")
