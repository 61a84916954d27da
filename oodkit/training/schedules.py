"""Numbers that change from step to step."""

import math
from collections.abc import Sequence


def warm_cosine(step: int, steps: int, warm: int, peak: float, last: float) -> float:
    """From 0 to the peak in a straight line over `warm` steps, then down half a cosine to `last` at the end.

    Args:
        step: 0 <= step < steps.
        steps: number of steps in all.
        warm: steps of the rise.
        peak: the largest value, that of step `warm`.
        last: what the cosine ends at, after the last step.
    """
    if step < warm:
        return peak * step / warm
    return cosine(step - warm, max(1, steps - warm), peak, last)


def cosine(step: int, steps: int, first: float, last: float) -> float:
    """From the first value to the last along half a cosine; the last would be that of step `steps`."""
    return last + (first - last) * (1 + math.cos(math.pi * step / steps)) / 2


def stepped(epoch: int, value: float, steps: Sequence[tuple[int, float]]) -> float:
    """The value times the factor of the last of (epoch, factor) that is reached; the value itself before the first."""
    factors = [factor for start, factor in steps if epoch >= start]
    return value * (factors[-1] if factors else 1.0)
