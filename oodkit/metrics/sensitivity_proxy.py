"""How far scores fall when images are shifted: a figure to choose negatives by, without OOD data."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.errors import InvalidInput

LEVEL = 0.95
_WEIGHTS = 2**22  # of images in replicates that are held at once


class Sensitivity(NamedTuple):
    """The figure, and the interval that holds 95 % of its values over resampled images."""

    value: float
    low: float
    high: float


def sensitivity_proxy(scores: ArrayLike, shifted: ArrayLike, replicates: int = 1000, seed: int = 0) -> Sensitivity:
    """Fall of the mean score in units of the scores' spread, averaged over transformations:

        mean over T' of (mean S(V) - mean S(T'(V))) / sqrt((var S(V) + var S(T'(V))) / 2)

    It stands in for the sensitivity that Rafiee et al. select negatives by, whose definition is in no public source: it
    is not theirs.

    Args:
        scores: (V,) scores of held-out in-distribution images; higher is more in-distribution.
        shifted: (P, V) scores of the same images through P transformations, or (V,) for one.
        replicates: bootstrap samples of images, the same images for all transformations.
        seed: of the bootstrap.

    Returns:
        The figure with its percentile interval; 0 where a transformation changes nothing, larger is more sensitive.

    Raises:
        InvalidInput: fewer than two images, shapes that do not fit, scores that are not finite, or all scores equal.
    """
    clean = np.asarray(scores, dtype=np.float64)
    moved = np.atleast_2d(np.asarray(shifted, dtype=np.float64))
    if clean.ndim != 1 or len(clean) < 2 or moved.ndim != 2 or moved.shape[1] != len(clean) or len(moved) == 0:
        raise InvalidInput(
            f"the sensitivity proxy takes scores (V,), V >= 2, and (P, V), got {clean.shape} and {moved.shape}"
        )
    if not (np.isfinite(clean).all() and np.isfinite(moved).all()):
        raise InvalidInput("the sensitivity proxy takes finite scores; some are NaN or infinite")
    value = float(_mean_fall(np.ones((1, len(clean))), clean, moved)[0])
    if np.isnan(value):
        raise InvalidInput("the scores of all images are equal, before or after the shift; they have no spread")
    rng = np.random.default_rng(seed)
    per_part = max(1, _WEIGHTS // len(clean))
    falls = []
    for start in range(0, replicates, per_part):
        count = min(per_part, replicates - start)
        weights = rng.multinomial(len(clean), np.full(len(clean), 1 / len(clean)), size=count).astype(np.float64)
        falls.append(_mean_fall(weights, clean, moved))
    found = np.concatenate(falls)
    found = found[~np.isnan(found)]  # samples of one image alone
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(found) else (value, value)
    return Sensitivity(value, float(low), float(high))


def _mean_fall(
    weights: NDArray[np.float64], clean: NDArray[np.float64], moved: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The figure (R,) under weights (R, V) of the images; NaN without spread."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    middle = clean.mean()  # taken off first, so that a large offset costs no digits
    clean, moved = clean - middle, moved - middle
    mean, means = shares @ clean, shares @ moved.T
    variance = shares @ clean**2 - mean**2
    variances = shares @ (moved**2).T - means**2
    spread = np.sqrt(np.maximum((variance[:, None] + variances) / 2, 0))
    falls = np.divide(mean[:, None] - means, spread, out=np.full_like(means, np.nan), where=spread > 0)
    result: NDArray[np.float64] = falls.mean(axis=1)
    return result
