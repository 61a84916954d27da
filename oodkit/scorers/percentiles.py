"""Exact percentiles of all entries of rows together, in memory that does not grow with their number."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.rows import floating

BLOCK_BYTES = 4 * 2**20  # features that are looked at at once
DIGIT = 16  # bits of a number that one pass over the features finds
_LOWEST = 1 << (DIGIT - 1)  # first digits are signed, from minus this on


def check_percentile(name: str, percentile: float) -> None:
    """Raise InvalidInput for a percentile outside 0 .. 100."""
    if not 0 <= percentile <= 100:
        raise InvalidInput(f"{name} must be a percentile from 0 to 100, got {percentile}")


def pooled_percentiles(features: Tensor, percentiles: Sequence[float]) -> list[float]:
    """Percentiles of all entries together, interpolated linearly as `numpy.percentile` does.

    Two passes over the features, four if they are float64; nothing of their size is made, so they can lie in a file.

    Args:
        features: (N, D) of any real dtype, finite, N >= 1.
        percentiles: each in 0 .. 100.

    Returns:
        One number per percentile.
    """
    places = [(features.numel() - 1) * percentile / 100 for percentile in percentiles]
    ranks = {rank for place in places for rank in (math.floor(place), math.ceil(place))}
    value = _entries(features, ranks)
    found = []
    for place in places:
        below, above = value[math.floor(place)], value[math.ceil(place)]
        found.append(below + (above - below) * (place - math.floor(place)))
    return found


def _entries(features: Tensor, ranks: set[int]) -> dict[int, float]:
    """The entries with these ranks in ascending order, 0 the smallest: 16 bits of each in every pass."""
    bits = 8 * floating(features[:0]).element_size()
    prefix, left = (
        dict.fromkeys(ranks, 0),
        {rank: rank for rank in ranks},
    )  # bits found, and rank among those with them
    for shift in range(bits - DIGIT, -1, -DIGIT):
        first = shift == bits - DIGIT
        counts = _count_digits(features, set(prefix.values()), shift, first)
        for rank in ranks:
            up_to = counts[prefix[rank]].cumsum(0)
            digit = int((up_to <= left[rank]).sum())
            left[rank] -= int(up_to[digit - 1]) if digit else 0
            prefix[rank] = digit - _LOWEST if first else (prefix[rank] << DIGIT) + digit
    return {rank: _number(key, bits) for rank, key in prefix.items()}


def _count_digits(features: Tensor, prefixes: set[int], shift: int, first: bool) -> dict[int, Tensor]:
    """How often each digit follows each of the prefixes; before the first digit there is none."""
    counts = {prefix: torch.zeros(2**DIGIT, dtype=torch.int64, device=features.device) for prefix in prefixes}
    per_block = max(1, BLOCK_BYTES // (features.shape[1] * features.element_size()))
    for block in torch.split(features, per_block):
        keys = _keys(block).flatten()
        if first:
            counts[0] += torch.bincount((keys >> shift) + _LOWEST, minlength=2**DIGIT)
            continue
        before = keys >> (shift + DIGIT)
        for prefix, count in counts.items():
            digits = (keys[before == prefix] >> shift) & (2**DIGIT - 1)
            count += torch.bincount(digits, minlength=2**DIGIT)
    return counts


def _keys(block: Tensor) -> Tensor:
    """Integers in the order of the numbers; the two zeros have the same."""
    block = floating(block) + 0.0
    wide = block.dtype == torch.float64
    return _turn(block.view(torch.int64 if wide else torch.int32), 63 if wide else 31)


def _number(key: int, bits: int) -> float:
    wide = bits == 64
    keys = torch.tensor([key], dtype=torch.int64 if wide else torch.int32)
    return float(_turn(keys, bits - 1).view(torch.float64 if wide else torch.float32))


def _turn(integers: Tensor, sign: int) -> Tensor:
    """Bits of a float to an integer of the same order, and back: negative numbers run the other way."""
    return integers ^ ((integers >> sign) & ((1 << sign) - 1))
