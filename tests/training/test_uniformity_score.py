"""How far an answer is from uniform."""

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.data import ArrayImageSet
from oodkit.training.images import TrainingImages
from oodkit.training.uniformity_score import UniformityScore

PLAIN = Preprocessing(size=8, resize=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class Red(nn.Module):
    """Two logits: mean red, and 0."""

    def forward(self, pixels):
        """(B, 2)."""
        red = pixels[:, 0].mean(dim=(1, 2))
        return torch.stack([red, torch.zeros_like(red)], dim=1)


def test_equal_logits_score_zero_and_apart_ones_the_divergence():
    """log 2 - H(p), with p = sigmoid(1 / 0.5) for an image that is wholly red."""
    pixels = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    pixels[1, :, :, 0] = 255
    score = UniformityScore(Red(), PLAIN, 0.5, torch.device("cpu"))

    found = score.score(TrainingImages(ArrayImageSet("c", "test", pixels), PLAIN))

    p = 1 / (1 + np.exp(-2))
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert found[1] == pytest.approx(np.log(2) + p * np.log(p) + (1 - p) * np.log(1 - p), rel=1e-6)
