"""Exact percentiles of all entries of rows together, in memory that does not grow with their number."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from oodkit.scorers.rows import floating

BLOCK_BYTES = 4 * 2**20  # features that are looked at at once
DIGIT = 16  # bits of a number that one pass over the features finds
SAMPLE = 2**18  # entries that tell where a percentile lies
MARGIN = 0.01  # share of all entries by which they may be wrong
MOST_BETWEEN = 2**24  # entries that are held to be ordered
_LOWEST = 1 << (DIGIT - 1)  # first digits are signed, from minus this on


def pooled_percentiles(features: Tensor, percentiles: Sequence[float]) -> list[float]:
    """Percentiles of all entries together, interpolated linearly as `numpy.percentile` does.

    One pass over the features for each; where a sample of the rows is unlike the rest, two more for all (four if they
    are float64). Nothing of the features' size is made, so they can lie in a file.

    Args:
        features: (N, D) of any real dtype, finite, N >= 1.
        percentiles: each in 0 .. 100.

    Returns:
        One number per percentile.
    """
    places = [(features.numel() - 1) * percentile / 100 for percentile in percentiles]
    sample = floating(features[:: max(1, features.numel() // SAMPLE)]).flatten().sort().values
    value: dict[int, float] = {}
    for place in places:
        value |= _entries_around(features, sample, place)
    missing = {rank for place in places for rank in (math.floor(place), math.ceil(place))} - set(value)
    if missing:
        value |= _entries(features, missing)
    found = []
    for place in places:
        below, above = value[math.floor(place)], value[math.ceil(place)]
        found.append(below + (above - below) * (place - math.floor(place)))
    return found


def _entries_around(features: Tensor, sample: Tensor, place: float) -> dict[int, float]:
    """The entries whose ranks are next to a place, as far as they lie between two entries of a sorted sample."""
    share, last = place / max(1, features.numel() - 1), len(sample) - 1
    first, final = math.floor((share - MARGIN) * last), math.ceil((share + MARGIN) * last)
    low = float(sample[first]) if first > 0 else -math.inf
    high = float(sample[final]) if final < last else math.inf
    below = up_to_low = up_to_high = held = 0
    parts = []
    for rows in _blocks(features):
        block = floating(rows).flatten()
        not_above_low = block <= low
        below += int((block < low).count_nonzero())
        up_to_low += int(not_above_low.count_nonzero())
        up_to_high += int((block <= high).count_nonzero())
        parts.append(block[(block < high) > not_above_low])
        held += len(parts[-1])
        if held > MOST_BETWEEN:
            return {}
    between = torch.cat(parts)
    found = {}
    for rank in (math.floor(place), math.ceil(place)):
        inside = rank - up_to_low
        if 0 <= inside < held:
            found[rank] = float(between.kthvalue(inside + 1).values) + 0.0  # 0 has no sign
        elif below <= rank < up_to_high:
            found[rank] = low if inside < 0 else high
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
    for block in _blocks(features):
        keys = _keys(block).flatten()
        if first:
            counts[0] += torch.bincount((keys >> shift) + _LOWEST, minlength=2**DIGIT)
            continue
        before = keys >> (shift + DIGIT)
        for prefix, count in counts.items():
            digits = (keys[before == prefix] >> shift) & (2**DIGIT - 1)
            count += torch.bincount(digits, minlength=2**DIGIT)
    return counts


def _blocks(features: Tensor) -> tuple[Tensor, ...]:
    return torch.split(features, max(1, BLOCK_BYTES // (features.shape[1] * features.element_size())))


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
