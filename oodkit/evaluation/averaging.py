"""Test-time augmentation: an image stands for the mean of its features through several views."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from oodkit.embedding import Embeddings
from oodkit.evaluation.view_supply import of_same


def mean_of_views(parts: Sequence[Embeddings]) -> Embeddings:
    """The first part with the mean of the features of all parts, (N, D) float32 in memory; itself where it is alone.

    Args:
        parts: the same images through one view each.

    Raises:
        InvalidInput: they are not of the same images.
    """
    first, *others = parts
    if not others:
        return first
    total = np.array(first.features, dtype=np.float32)
    for part in others:
        total += of_same(first, part).features
    total /= len(parts)
    return replace(first, features=total, computed=sum(part.computed for part in parts))
