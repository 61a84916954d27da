"""Training images."""

import numpy as np
import torch

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.data import ArrayImageSet
from oodkit.training import images as module
from oodkit.training.images import TrainingImages

HALF = Preprocessing(size=4, resize=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def test_pixels_are_the_same_kept_or_read_again(monkeypatch):
    """A set that is too large to keep is read image by image, resized the same way."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    source = ArrayImageSet("noise", "train", pixels)
    kept = TrainingImages(source, HALF)
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    read = TrainingImages(source, HALF)

    assert kept._kept is not None
    assert read._kept is None
    assert torch.equal(kept.rows(torch.tensor([2, 0])), read.rows(torch.tensor([2, 0])))
    assert kept[1].shape == (3, 4, 4)
