"""Test-time augmentation: an image stands for the mean of its features through several views."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from oodkit.embedding import Embeddings
from oodkit.errors import InvalidInput
from oodkit.evaluation.view_supply import of_same
from oodkit.views import IDENTITY, views


def check_average(names: Sequence[str]) -> tuple[str, ...]:
    """Names of the views that images are averaged over besides themselves, checked.

    Raises:
        UnknownName: no such view; the message has the nearest names.
        InvalidInput: a view twice, or the image as it is, which is always in.
    """
    for name in names:
        _ = views[name]
    if IDENTITY in names:
        raise InvalidInput(f"the image as it is always counts in an average; leave {IDENTITY} out")
    twice = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
    if twice:
        raise InvalidInput(f"the view {twice[0]} is named twice to average over; name it once")
    return tuple(names)


def mean_of_views(parts: Sequence[Embeddings]) -> Embeddings:
    """The first part with the mean of the features of all parts, (N, D) float32; the part itself where it is alone.

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
