"""Time two callables in alternation, so that a machine's slow moments fall on both."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


class Ratio(NamedTuple):
    """Time of ours over time of the peer; below 1 means that ours is faster."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def compare(ours: Callable[[], object], peer: Callable[[], object], repeats: int = 7) -> Ratio:
    """Ratio of running times, ours over peer, measured as ours, peer, ours, peer, ...

    Both are called once untimed first, so that caches, lazy imports and thread pools are warm. Work on a
    GPU must end with a synchronisation inside the callable.

    Args:
        ours: what is measured; called without arguments, its result is dropped.
        peer: what it is measured against.
        repeats: number of timed pairs, at least 1.

    Returns:
        Median, smallest and largest ratio over the pairs.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    ours()
    peer()
    ratios = [_seconds(ours) / _seconds(peer) for _ in range(repeats)]
    return Ratio(median(ratios), min(ratios), max(ratios))


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
