"""Which fit rows are held out: a share of each class, chosen by what is in the rows and not by where they stand."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.errors import TooFewSamples

BLOCK = 2048  # rows that are cast to float64 at once
_MIXER = -49064778989728563  # an odd number with bits all over, for a multiplication that wraps around


def held_out(features: Tensor, labels: Tensor | None, share: float, seed: int) -> Tensor:
    """Choose rows to hold out.

    Of each class of n rows, round(share n) are chosen, but never all; equal rows stand together, up to the boundary.

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
    keys = _keys(features, seed)
    classes = np.zeros(len(keys), dtype=np.int64) if labels is None else labels.cpu().numpy()
    _, classes, counts = np.unique(classes, return_inverse=True, return_counts=True)
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


def _keys(features: Tensor, seed: int) -> NDArray[np.int64]:
    """A number per row that its bits decide, spread over all int64."""
    draws = np.random.default_rng(seed).integers(-(2**63), 2**63 - 1, features.shape[1], dtype=np.int64) | 1
    weights = torch.from_numpy(draws).to(features.device)
    parts = []
    for block in torch.split(features, BLOCK):
        bits = (block.to(torch.float64) + 0.0).contiguous().view(torch.int64)
        mixed = (bits ^ (bits >> 31)) * weights
        keys = mixed.sum(dim=1)
        parts.append((keys ^ (keys >> 29)) * _MIXER)
    return torch.cat(parts).cpu().numpy()
