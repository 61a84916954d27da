"""A detector over photographs, and noise that it should refuse."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import oodkit


@pytest.fixture
def detector(photo_folder, tiny_name):
    """1-NN on 20 photographs."""
    return oodkit.Detector(oodkit.load_backbone(tiny_name, device="cpu"), "knn").fit(f"{photo_folder}:train")


@pytest.fixture
def noise_folder(tmp_path: Path) -> Path:
    """Eight images of noise, of the backbone's size and others."""
    folder = tmp_path / "noise"
    folder.mkdir()
    for i in range(8):
        rng = np.random.default_rng(i)
        Image.fromarray(rng.integers(0, 256, (16 + i, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder
