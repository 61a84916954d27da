"""Labelled features and a text tower that can be worked out by hand, for tests of heads."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def labelled(seed: int = 0, n: int = 70, width: int = 5, count: int = 3) -> tuple[NDArray[np.float32], NDArray]:
    """(n, width) float32 rows in `count` clusters, with features of different scale and offset."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % count)
    rows = 2 * rng.standard_normal((count, width))[labels] + rng.standard_normal((n, width))
    return (rows * np.geomspace(0.1, 10, width) + np.arange(width)).astype(np.float32), labels


def letters(texts: Sequence[str]) -> Tensor:
    """A text tower: how often each of the letters a to h stands in a text, plus a little."""
    return torch.tensor([[text.count(letter) + 0.1 for letter in "abcdefgh"] for text in texts])
