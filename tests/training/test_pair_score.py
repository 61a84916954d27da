"""The score of pairs."""

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.data import ArrayImageSet
from oodkit.training.images import TrainingImages
from oodkit.training.pair_score import PairScore

PLAIN = Preprocessing(size=8, resize=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
CPU = torch.device("cpu")


class Mean(nn.Module):
    """Mean colour, which cosines compare."""

    def forward(self, pixels):
        """(B, 3)."""
        return pixels.mean(dim=(2, 3))


class Difference(nn.Module):
    """Minus the mean difference of the first from the second image, and as much again."""

    def forward(self, pairs):
        """(B, 2)."""
        odds = (pairs[:, :3] - pairs[:, 3:]).mean(dim=(1, 2, 3))
        return torch.stack([-odds, -3 * odds], dim=1)


def _set(colours):
    pixels = np.array(colours, dtype=np.uint8)[:, None, None, :].repeat(8, axis=1).repeat(8, axis=2)
    return TrainingImages(ArrayImageSet("c", "train", pixels), PLAIN)


@pytest.fixture
def score():
    """Over a red and a green training image."""
    return PairScore(Mean(), Difference(), PLAIN, _set([(100, 0, 0), (0, 100, 0)]), CPU)


def test_the_nearest_training_image_comes_first(score):
    """A dark green image is paired with the green one; the score is the mean over outputs, in units of [0, 1]."""
    pairs = score.pairs_of(_set([(0, 40, 0)]))

    assert pairs[0, 1, 0, 0] == 100
    assert pairs[0, 4, 0, 0] == 40
    assert score.score(pairs)[0] == pytest.approx(-2 * (60 / 255) / 3, rel=1e-5)


def test_scores_do_not_depend_on_the_batch(score):
    """One by one, in any order, beside any others."""
    pairs = score.pairs_of(_set([(0, 40, 0), (90, 10, 0), (5, 5, 5)]))

    whole = score.score(pairs)

    np.testing.assert_allclose(np.concatenate([score.score(pair[None]) for pair in pairs]), whole, rtol=1e-6)
    np.testing.assert_allclose(score.score(pairs.flip(0), batch=2), whole[::-1], rtol=1e-6)
