"""Mean ranks, Friedman's test and the critical difference."""

from itertools import permutations, product
from math import inf, isfinite

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import average_ranks, friedman, nemenyi_critical_difference
from tests.metrics.samples import Array

grid = st.integers(0, 4).map(lambda i: i / 4)
tables = arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(2, 10)), elements=grid | st.floats(0, 1))


def test_ranks_worked_example() -> None:
    """On pair 1 the second method is best; on pair 2 the first two share ranks 1 and 2."""
    np.testing.assert_array_equal(average_ranks([[0.8, 0.9], [0.9, 0.9], [0.7, 0.1]]), [1.75, 1.25, 3.0])


@given(tables)
def test_ranks_equal_counting(table: Array) -> None:
    """A rank is 1 + those above + half of the others that are equal; per pair they sum to k(k + 1)/2."""
    above = (table[None] > table[:, None]).sum(axis=1)
    equal = (table[None] == table[:, None]).sum(axis=1) - 1
    expected = (1 + above + equal / 2).mean(axis=1)
    np.testing.assert_allclose(average_ranks(table), expected, rtol=1e-14)
    k = len(table)
    assert average_ranks(table).sum() == pytest.approx(k * (k + 1) / 2, rel=1e-14)


@given(tables)
def test_friedman_equals_scipy(table: Array) -> None:
    """From three methods on, where not all are equal, statistic and p are SciPy's."""
    assume(len(table) > 2)
    assume((np.ptp(table, axis=0) > 0).any())
    expected = stats.friedmanchisquare(*table)
    result = friedman(table)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6)


@given(tables)
def test_friedman_equals_the_textbook_with_its_tie_correction(table: Array) -> None:
    """12 N / (k(k + 1)) (sum of squared mean ranks - k(k + 1)^2/4), divided by 1 - sum(t^3 - t) / (N k (k^2 - 1))."""
    k, n = table.shape
    ties = sum(int(t**3 - t) for column in table.T for t in np.unique(column, return_counts=True)[1])
    assume(ties < n * k * (k**2 - 1))
    plain = 12 * n / (k * (k + 1)) * ((average_ranks(table) ** 2).sum() - k * (k + 1) ** 2 / 4)
    chi2 = plain / (1 - ties / (n * k * (k**2 - 1)))
    result = friedman(table)
    assert result.statistic == pytest.approx(chi2, rel=1e-9, abs=1e-9)
    if isfinite(result.f_statistic):
        f = (n - 1) * result.statistic / (n * (k - 1) - result.statistic)
        assert result.f_statistic == pytest.approx(f, rel=1e-9)
        assert result.f_p_value == pytest.approx(stats.f.sf(f, k - 1, (k - 1) * (n - 1)), rel=1e-9)


def test_demsars_example() -> None:
    """Mean ranks 3.143, 2.000, 2.893, 1.964 of 4 methods on 14 sets: chi2 = 9.28 and F = 3.69 (Demsar, 2006)."""
    accuracies = [
        [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957],
        [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978],
        [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751, 0.946],
        [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975, 0.970],
    ]
    np.testing.assert_allclose(average_ranks(accuracies), [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    # 0.9751: the paper prints 0.975 for both of two methods on that set, but ranks them
    k, n = 4, 14
    plain = 12 * n / (k * (k + 1)) * ((average_ranks(accuracies) ** 2).sum() - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)  # the paper leaves ties uncorrected
    assert (n - 1) * plain / (n * (k - 1) - plain) == pytest.approx(3.69, abs=0.005)
    assert friedman(accuracies).statistic > plain


@pytest.mark.parametrize(("wins", "losses", "ties"), [(5, 2, 0), (5, 2, 3), (1, 1, 0), (4, 3, 9)])
def test_two_methods_compare_wins_with_losses(wins: int, losses: int, ties: int) -> None:
    """chi2 = (wins - losses)^2 / (wins + losses): pairs on which both are equal do not count."""
    table = [[1] * wins + [0] * losses + [0.5] * ties, [0] * wins + [1] * losses + [0.5] * ties]
    assert friedman(table).statistic == pytest.approx((wins - losses) ** 2 / (wins + losses), rel=1e-15)


def test_equal_methods_have_statistic_0() -> None:
    """The correction for ties is then 0/0; nothing differs, so p = 1."""
    result = friedman(np.full((4, 6), 0.5))
    assert (result.statistic, result.p_value, result.f_statistic, result.f_p_value) == (0, 1, 0, 1)


@pytest.mark.parametrize("first", [[0.1, 0.2, 0.3], [0.1, 0.1, 0.3], [0.4, 0.1], [0.1, 0.1, 0.3, 0.3]])
def test_full_agreement_has_the_exact_p_value(first: list[float]) -> None:
    """F is infinite; p is the share of all orders of three columns that agree, not 0."""
    orders = sorted(set(permutations(first)))
    agreeing = sum(len(set(columns)) == 1 for columns in product(orders, repeat=3))
    result = friedman(np.array([first] * 3).T)
    assert result.f_statistic == inf
    assert result.statistic == pytest.approx(3 * (len(first) - 1), rel=1e-15)
    assert result.f_p_value == pytest.approx(agreeing / len(orders) ** 3, rel=1e-12)


def test_full_agreement_of_many_methods_is_no_overflow() -> None:
    """300! orders are more than a float holds."""
    assert friedman(np.repeat(np.arange(300.0)[:, None], 3, axis=1)).f_p_value == 0


@given(tables, st.integers(0, 2**32 - 1))
def test_order_of_methods_and_pairs_does_not_matter(table: Array, seed: int) -> None:
    """Nor does a monotone map of each pair's figures."""
    rng = np.random.default_rng(seed)
    k, n = table.shape
    shuffled = table[rng.permutation(k)][:, rng.permutation(n)]
    assert friedman(shuffled) == friedman(table) == friedman(np.searchsorted(np.unique(table), table))


def test_critical_difference_has_the_known_constants() -> None:
    """q is 1.960, 2.728, 3.164 for 2, 5, 10 methods at 5 %; with 18 pairs CD is 1.4377 and 3.1928."""
    for methods, q in ((2, 1.960), (5, 2.728), (10, 3.164)):
        scale = np.sqrt(methods * (methods + 1) / 6)
        assert nemenyi_critical_difference(methods, 1) / scale == pytest.approx(q, abs=5e-4)
    assert nemenyi_critical_difference(5, 18) == pytest.approx(1.4377, abs=5e-5)
    assert nemenyi_critical_difference(10, 18) == pytest.approx(3.1928, abs=5e-5)


def test_two_methods_need_a_normal_quantile() -> None:
    """The range of two normals over sqrt(2) is a folded normal: CD = z(1 - alpha/2) / sqrt(pairs)."""
    for alpha in (0.01, 0.1):
        expected = stats.norm.ppf(1 - alpha / 2) / np.sqrt(9)
        assert nemenyi_critical_difference(2, 9, alpha) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("methods", "pairs"), [(1, 5), (2, 0), (0, 0)])
def test_nothing_to_compare_has_no_critical_difference(methods: int, pairs: int) -> None:
    """At least two methods and a pair."""
    with pytest.raises(TooFewSamples, match="needs at least 2 methods and 1 pair"):
        nemenyi_critical_difference(methods, pairs)


@pytest.mark.parametrize("alpha", [0, 1, 5, float("nan")])
def test_alpha_is_a_fraction(alpha: float) -> None:
    """Not a percentage."""
    with pytest.raises(InvalidInput, match="alpha must be a fraction"):
        nemenyi_critical_difference(3, 5, alpha)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_friedman_needs_two_of_each(shape: tuple[int, int]) -> None:
    """One method has no rival, one pair no repetition."""
    with pytest.raises(TooFewSamples, match="needs at least 2 methods and 2 pairs"):
        friedman(np.zeros(shape))


@pytest.mark.parametrize("function", [average_ranks, friedman])
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0.1, 0.2], r"must have shape \(methods, pairs\)"),
        (np.zeros((3, 0)), r"must have shape \(methods, pairs\)"),
        ([[0.1, float("nan")], [0.2, 0.3]], "NaN in 1 of 4 places"),
        ([["a"]], "cannot be read"),
    ],
)
def test_bad_tables_are_refused(function: object, table: object, message: str) -> None:
    """With the reason."""
    assert callable(function)
    with pytest.raises(InvalidInput, match=message):
        function(table)
