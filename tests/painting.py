"""Noisy images of few colours, which a small network can tell apart."""

from pathlib import Path

import numpy as np
from PIL import Image

MEANS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200), "grey": (90, 90, 90)}


def paint(folder: Path, colour: str, count: int, seed: int) -> None:
    """Images of one colour: `folder/N.png`, 8 x 8."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        pixels = rng.normal(MEANS[colour], 40, (8, 8, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
