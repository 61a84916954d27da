"""Images set apart before a fit, so that a threshold can be calibrated on what the scorer has not seen."""

import math

import numpy as np
from numpy.typing import NDArray

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import conformal_images_needed

HOLD_OUT = 0.2  # share of the fit images that calibrate where no others are given


def split_by_content(
    digests: NDArray[np.uint8], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions to fit on and positions to hold out, each in the old order.

    Copies of one image are all on one side, and count once where they are held out: a score of an image that was
    fitted on says nothing of new ones.

    Args:
        digests: (N, 32) of the images' contents.
        share: of the distinct images that are held out, rounded down; inside (0, 1).
        seed: of the draw.

    Raises:
        InvalidInput: the share is outside (0, 1), or the seed negative.
        TooFewSamples: nothing would be left on one of the sides.
    """
    _check_share(share)
    if seed < 0:
        raise InvalidInput(f"the seed must be 0 or more, got {seed}")
    _, first, content = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))[content.reshape(-1)]  # contents by first appearance, whatever their digests
    first = np.sort(first)
    held = np.zeros(len(first), dtype=bool)
    held[np.random.default_rng(seed).permutation(len(first))[: held_out(len(first), share)]] = True
    if not held.any() or held.all():
        raise TooFewSamples(f"{len(first)} distinct images cannot be split into fit and held-out ones; give more")
    return np.flatnonzero(~held[order]), first[held]


def held_out(count: int, share: float) -> int:
    """How many of `count` images are held out."""
    return math.floor(count * share + 1e-9)


def check_enough(count: int, share: float, fpr: float) -> None:
    """Refuse a rate that the held-out part of `count` images is too small for.

    Raises:
        InvalidInput: a share or rate outside (0, 1).
        TooFewSamples: with the number of images that would do.
    """
    _check_share(share)
    needed = conformal_images_needed(fpr)
    if held_out(count, share) >= needed:
        return
    whole = math.ceil(needed / share - 1e-9)
    raise TooFewSamples(
        f"a false-positive rate of {fpr:g} needs at least {needed} calibration images, and {100 * share:.3g} % of "
        f"{count} images are {held_out(count, share)}; give at least {whole} images, hold out more, or allow a larger "
        "rate"
    )


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidInput(f"the share to hold out must lie between 0 and 1, got {share}; 0.2 is usual")
