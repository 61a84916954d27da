"""Counts of what each threshold accepts."""

import numpy as np
from hypothesis import given

from oodkit.metrics.thresholds import accepted_counts
from tests.metrics.samples import Array, any_scores


@given(any_scores, any_scores)
def test_counts_are_those_of_each_distinct_score(a: Array, b: Array) -> None:
    """From the highest score down, everything at or above it is accepted."""
    accepted_a, accepted_b = accepted_counts(np.sort(a), np.sort(b))
    thresholds = sorted({*a.tolist(), *b.tolist()}, reverse=True)
    assert accepted_a.tolist() == [sum(x >= t for x in a.tolist()) for t in thresholds]
    assert accepted_b.tolist() == [sum(x >= t for x in b.tolist()) for t in thresholds]
