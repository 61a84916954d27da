"""Real photographs for the programs beside: from the data root where it has some, else those of scikit-learn."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from oodkit.data import load_dataset
from oodkit.errors import OodkitError


def photographs(count: int, width: int, height: int, data_root: Path | None) -> tuple[list[Image.Image], str]:
    """Photographs resized to one size, and a word on where they come from."""
    try:
        images = load_dataset("imagenet_samples", data_root=data_root, download=False)
    except OodkitError:
        return [_piece(number).resize((width, height)) for number in range(count)], "pieces of two photographs"
    chosen = np.linspace(0, len(images) - 1, count).astype(int)
    return [images.open(i).resize((width, height)) for i in chosen], "imagenet_samples"


def _piece(number: int) -> Image.Image:
    place = np.random.default_rng(number)
    photograph = Image.fromarray(load_sample_images().images[number % 2])
    left = int(place.integers(0, photograph.width - 250))
    top = int(place.integers(0, photograph.height - 190))
    return photograph.crop((left, top, left + 250, top + 190))
