"""The share of tied pairs."""

from hypothesis import given

from oodkit.metrics import tie_fraction
from tests.metrics.samples import Array, any_scores


def test_worked_example() -> None:
    """Two of the twelve pairs are tied."""
    assert tie_fraction([3, 3, 4, 5], [1, 3, 2]) == 2 / 12


@given(any_scores, any_scores)
def test_equals_the_share_over_all_pairs(a: Array, b: Array) -> None:
    """Equality is counted between the sides only, and is symmetric."""
    tied = sum(x == y for x in a.tolist() for y in b.tolist())
    assert tie_fraction(a, b) == tie_fraction(b, a) == tied / (len(a) * len(b))
