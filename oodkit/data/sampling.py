"""Seeded choices among the images of a set. No global generator is touched."""

import numpy as np

from oodkit.data.image_set import ImageSet
from oodkit.errors import InvalidInput, TooFewSamples


def take(images: ImageSet, limit: int, seed: int = 0) -> ImageSet:
    """A random choice of `limit` images in their old order; the set itself when it has no more than that.

    With one seed, the choice for a smaller limit is part of that for a larger one.

    Raises:
        InvalidInput: `limit` is below 1, or `seed` below 0.
    """
    if limit < 1:
        raise InvalidInput(f"the limit must be at least 1 image, got {limit}")
    if limit >= len(images):
        return images
    return images.subset(np.sort(_generator(seed).permutation(len(images))[:limit]))


def halves(images: ImageSet, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """Two random halves that share no image, each in the old order; the first is the larger by one if N is odd.

    Where there are labels, each class is halved, so that all classes with two images or more are in both halves.

    Raises:
        TooFewSamples: fewer than two images.
        InvalidInput: `seed` is below 0.
    """
    if len(images) < 2:
        raise TooFewSamples(f"{images.name} has {len(images)} image in the split {images.split!r}; halving needs two")
    order = _generator(seed).permutation(len(images))
    if images.labels is not None:
        order = order[np.argsort(images.labels[order], kind="stable")]
    # Every second image: in a run of two or more of a class, both halves get one.
    first, second = np.sort(order[0::2]), np.sort(order[1::2])
    return (
        images.subset(first, f"{images.split} (first half)"),
        images.subset(second, f"{images.split} (second half)"),
    )


def _generator(seed: int) -> np.random.Generator:
    if seed < 0:
        raise InvalidInput(f"the seed must be 0 or more, got {seed}")
    return np.random.default_rng(seed)
