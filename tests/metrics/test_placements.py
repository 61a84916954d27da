"""The integers behind AUROC and DeLong."""

import numpy as np
from hypothesis import given

from oodkit.metrics.placements import doubled_placements, total
from tests.metrics.samples import Array, any_scores, pair_outcomes


@given(any_scores, any_scores)
def test_placements_are_the_row_sums_of_all_pairs(a: Array, b: Array) -> None:
    """Twice the outcomes of each score against all others, summed, in the order of the scores."""
    a, b = np.sort(a), np.sort(b)
    np.testing.assert_array_equal(doubled_placements(a, b), 2 * pair_outcomes(a, b).sum(axis=1))
    np.testing.assert_array_equal(doubled_placements(b, a), 2 * pair_outcomes(b, a).sum(axis=1))


@given(any_scores, any_scores)
def test_placements_of_both_sides_share_out_all_pairs(a: Array, b: Array) -> None:
    """What one side wins the other loses, so both give the same AUROC, exactly."""
    a, b = np.sort(a), np.sort(b)
    assert total(doubled_placements(a, b)) + total(doubled_placements(b, a)) == 2 * len(a) * len(b)


def test_totals_are_exact_beyond_float64() -> None:
    """Pairs of large sets exceed 2^53, where a float64 sum loses ones."""
    assert total(np.array([2**53, 1], dtype=np.int64)) == 2**53 + 1
