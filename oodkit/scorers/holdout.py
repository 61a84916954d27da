"""Which fit rows are held out: a share of each class, chosen by where they lie and not by where they stand."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.errors import TooFewSamples

BLOCK = 2048  # rows that are cast to float64 at once
# Per standard deviation: narrow enough to cut through clusters, wide beside the rounding of float16; no whole number,
# or the two rows of a class of two, one deviation from their mean, would tie.
STRIPES = 15.71


def held_out(features: Tensor, labels: Tensor | None, share: float, seed: int) -> Tensor:
    """Choose rows to hold out.

    Of each class of n rows, round(share n) are chosen, but never all: those that lie first in stripes across a random
    direction. Equal rows stand together, up to the boundary. Rounding, as of another dtype, moves only rows that lie on
    the edge of a stripe: hardly ever one between float64 and float32, and a few in a hundred in float16.

    Args:
        features: (N, D) of any real dtype.
        labels: (N,) int64; None: all rows are one class.
        share: in (0, 1).
        seed: of the choice.

    Returns:
        (N,) bool, on the device of the features; it moves with the rows if these are put in another order.

    Raises:
        TooFewSamples: no row can be held out.
    """
    classes = np.zeros(len(features), dtype=np.int64) if labels is None else labels.cpu().numpy()
    _, classes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    keys = _places_in_stripes(features, classes, counts, seed)
    order = np.lexsort((keys, classes))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(keys)) - np.repeat(starts, counts)  # within the class, by key
    wanted = np.minimum(np.floor(share * counts + 0.5), counts - 1)
    chosen = np.zeros(len(keys), dtype=bool)
    chosen[order] = place < np.repeat(wanted, counts)
    if not chosen.any():
        where = "" if len(counts) == 1 else f" in {len(counts)} classes"
        raise TooFewSamples(
            f"no row can be held out of {len(keys)} sample(s){where} with holdout={share}; give more or raise holdout"
        )
    return torch.from_numpy(chosen).to(features.device)


def _places_in_stripes(
    features: Tensor, classes: NDArray[np.int64], counts: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Where each row lies in its stripe, in [0, 1); the stripes of a class are as wide as its spread says."""
    rng = np.random.default_rng(seed)
    direction, shift = torch.from_numpy(rng.standard_normal(features.shape[1])), rng.random()
    parts = [block.to("cpu", torch.float64) @ direction for block in torch.split(features, BLOCK)]
    along = torch.cat(parts).numpy()
    along = along - (np.bincount(classes, along) / counts)[classes]
    spread = np.sqrt(np.bincount(classes, along**2) / counts)[classes]
    places: NDArray[np.float64] = (STRIPES * along / np.where(spread > 0, spread, 1) + shift) % 1
    return places
