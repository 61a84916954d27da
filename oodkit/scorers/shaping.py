"""What is done to activations before they go through a classifier: pruning, sharpening, and a word on their sign."""

import math

import numpy as np
import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.checks import check_percentile

BLOCK = 2048  # rows that are looked at at once
LARGEST_EXPONENT = 500  # of the sharpening factor, which must leave room for the logits in float64
_LOWEST_EXPONENT = -100  # below it the factor is 0


def kept_count(width: int, percentile: float) -> int:
    """How many activations of a row pruning keeps: D - round(D percentile / 100), halves rounded to even.

    Raises:
        InvalidInput: the percentile is outside 0 .. 100, or so high that none is kept.
    """
    check_percentile("percentile", percentile)
    count = width - round(width * percentile / 100)
    if count == 0:
        raise InvalidInput(f"percentile={percentile} keeps none of the {width} features of a row; lower it")
    return count


def sharpened_count(width: int, percentile: float) -> int:
    """`kept_count`, where what is kept is sharpened by up to exp(D / count).

    Raises:
        InvalidInput: as `kept_count`, or that factor overflows.
    """
    count = kept_count(width, percentile)
    if width > LARGEST_EXPONENT * count:
        raise InvalidInput(
            f"percentile={percentile} keeps {count} of {width} features, so the factor can reach "
            f"exp({width / count:.0f}), which overflows; lower it"
        )
    return count


def largest_entries(x: Tensor, count: int) -> Tensor:
    """Which entries of each row are its largest: exactly `count` of them, among equals the first.

    Args:
        x: (B, D), without NaN.
        count: in 1 .. D.

    Returns:
        (B, D) bool.
    """
    x = x.detach()
    smallest = _smallest_kept(x, count)  # (B, 1)
    kept = x >= smallest
    tied = (kept.sum(dim=1) > count).nonzero().flatten()
    if len(tied):
        rows, bound = x[tied], smallest[tied]
        above, equal = rows > bound, rows == bound
        wanted = count - above.sum(dim=1, keepdim=True)
        kept[tied] = above | (equal & (equal.cumsum(dim=1) <= wanted))
    return kept


def sharpening(x: Tensor, kept: Tensor, count: int) -> Tensor:
    """The factor exp(s1 / s2) of each row: s1 is the sum of its entries, s2 of those that are kept.

    Among non-negative rows it lies in [e, exp(D / count)]. Where s2 is not positive, or s1 / s2 below -100, it is 0,
    which is its limit as s2 falls to 0; with nothing pruned it is e for every row.

    Args:
        x: (B, D).
        kept: (B, D) bool, `count` in each row.
        count: number of kept entries.

    Returns:
        (B, 1), finite if x is not too large; differentiable in x.
    """
    if count == x.shape[1]:
        return torch.full_like(x[:, :1], math.e)
    total = x.sum(dim=1, keepdim=True)
    of_kept = torch.where(kept, x, 0).sum(dim=1, keepdim=True)
    usable = total > _LOWEST_EXPONENT * of_kept  # false for every s2 <= 0, since then s1 <= s2
    exponent = torch.where(usable, total, 0) / torch.where(usable, of_kept, 1)
    return torch.where(usable, exponent.exp(), 0)


def zero_note(features: Tensor) -> list[str]:
    """That activations tell nothing where those of all fit rows are 0, if so.

    Args:
        features: (N, D) of any real dtype.
    """
    if any(bool(rows.any()) for rows in torch.split(features, BLOCK)):
        return []
    return ["all activations of the fit samples are 0, so thresholds taken from them tell nothing of other samples"]


def sign_note(features: Tensor, consequence: str) -> list[str]:
    """A statement for `notes_` if fit features are negative; none if they are activations after a ReLU.

    Args:
        features: (N, D) of any real dtype.
        consequence: what this means for the method.
    """
    negative = sum(int((block < 0).sum()) for block in torch.split(features, BLOCK))
    if negative == 0:
        return []
    share = 100 * negative / features.numel()
    return [
        f"{share:.2g} % of the fit activations are negative, but the method is for those after a ReLU: {consequence}"
    ]


def _smallest_kept(x: Tensor, count: int) -> Tensor:
    if x.device.type != "cpu":
        return x.topk(count, dim=1).values[:, -1:]
    place = x.shape[1] - count
    return torch.from_numpy(np.partition(x.numpy(), place, axis=1)[:, place : place + 1])
