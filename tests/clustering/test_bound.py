import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.clustering.bound import upper_cluster_bound, utilisation
from oodkit.errors import InvalidInput


def test_two_of_four_clusters() -> None:
    """Rows in clusters 0 and 3 of 4: half of them are used; one cluster of one gives 1."""
    assert utilisation([3, 0, 3, 3], 4) == (2, 0.5)
    assert utilisation([0], 1) == (1, 1.0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_range(assignments) -> None:
    """The ratio is in (0, 1], and no more clusters are used than there are rows."""
    used, ratio = utilisation(assignments, 10)

    assert 0 < ratio <= 1
    assert used <= min(10, len(assignments))
    assert used == round(10 * ratio)


# Counts of used clusters of TEMI on DINO features of CIFAR-10 and CIFAR-100, as its authors' assignments have them.
CIFAR10 = {100: 100, 200: 199, 300: 295, 400: 391, 500: 490, 600: 558, 800: 741, 1000: 918, 5000: 3747, 10000: 5911}
CIFAR100 = {100: 100, 200: 198, 300: 298, 400: 394, 500: 489, 600: 580, 800: 751, 1000: 909}


@pytest.mark.parametrize(("used", "bound"), [(CIFAR10, 500), (CIFAR100, 600)])
def test_published_counts(used, bound) -> None:
    """The bound of published counts at 0.96."""
    assert upper_cluster_bound({clusters: count / clusters for clusters, count in used.items()}) == bound


def test_a_gap_ends_the_range() -> None:
    """A number of clusters beyond one that fails does not count, in whatever order they come; none may pass."""
    assert upper_cluster_bound({30: 1.0, 10: 1.0, 20: 0.9}) == 10
    assert upper_cluster_bound({10: 0.9, 20: 1.0}) is None
    assert upper_cluster_bound({10: 0.9, 20: 0.8}, least=0.85) == 10


def test_what_is_no_assignment() -> None:
    """No rows, or a cluster outside the range, are one line."""
    for bad in ([], [4], [-1]):
        with pytest.raises(InvalidInput, match="assignments must be at least one integer from 0 to 3"):
            utilisation(bad, 4)
