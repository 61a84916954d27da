"""Methods ranked on each of many in/out pairs, and whether the ranks tell them apart."""

from dataclasses import dataclass
from math import factorial, inf, prod, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples


@dataclass(frozen=True)
class Friedman:
    """Friedman's test of equal mean ranks, and Iman and Davenport's version of it, which is less timid.

    Attributes:
        statistic: Friedman's chi-square, corrected for ties; 0 if all methods are equal on each pair.
        p_value: by the chi-square distribution with methods - 1 degrees of freedom.
        f_statistic: Iman and Davenport's F; infinite if all pairs rank the methods alike.
        f_p_value: by the F distribution with methods - 1 and (methods - 1)(pairs - 1) degrees of freedom. Where
            F is infinite, the exact chance that all pairs agree by accident.
    """

    statistic: float
    p_value: float
    f_statistic: float
    f_p_value: float


def average_ranks(table: ArrayLike) -> NDArray[np.float64]:
    """Mean rank of each method over the pairs; 1 is the best, and equal values share the mean of their ranks.

    Args:
        table: (methods, pairs) of AUROCs or other figures of which higher is better.

    Returns:
        (methods,) mean ranks in [1, methods], with sum methods (methods + 1) / 2.

    Raises:
        InvalidInput: the table is not two-dimensional, is empty, holds NaN or holds no real numbers.
    """
    ranks = _doubled_ranks(_table(table))
    means: NDArray[np.float64] = ranks.sum(axis=1) / (2 * ranks.shape[1])
    return means


def friedman(table: ArrayLike) -> Friedman:
    """Test whether the methods differ in rank at all, over k methods and N pairs.

    With rank sums S_j and ranks r_ij, from 1 for the best to k, midranks for ties:

        chi2 = (k - 1) sum_j (S_j - N(k + 1)/2)^2 / sum_ij (r_ij - (k + 1)/2)^2
        F = (N - 1) chi2 / (N(k - 1) - chi2)

    which without ties is the textbook's 12 / (N k (k + 1)) sum_j S_j^2 - 3 N (k + 1). With two methods, chi2 is
    (wins - losses)^2 / (wins + losses).

    The test takes pairs as independent; pairs that share an in-set or an OOD set are not, and then p-values only
    describe the table.

    Args:
        table: (methods, pairs) of AUROCs or other figures of which higher is better.

    Raises:
        TooFewSamples: there are fewer than two methods or two pairs.
        InvalidInput: the table is not two-dimensional, is empty, holds NaN or holds no real numbers.

    Source: Friedman, JASA 1937; Iman and Davenport, Communications in Statistics 1980; Demsar, JMLR 2006.
    """
    values = _table(table)
    k, pairs = values.shape
    if min(k, pairs) < 2:
        raise TooFewSamples(f"Friedman's test needs at least 2 methods and 2 pairs, got {k} and {pairs}")
    ranks = _doubled_ranks(values)
    scatter = int(((ranks - (k + 1)) ** 2).sum())  # integers throughout: four times the textbook's sums
    if scatter == 0:
        return Friedman(0.0, 1.0, 0.0, 1.0)
    between = int(((ranks.sum(axis=1) - pairs * (k + 1)) ** 2).sum())
    statistic = (k - 1) * between / scatter
    p_value = float(stats.chi2.sf(statistic, k - 1))
    if between == pairs * scatter:  # all columns are equal
        return Friedman(statistic, p_value, inf, _chance_of_agreement(ranks[:, 0], pairs))
    f_statistic = (pairs - 1) * between / (pairs * scatter - between)
    return Friedman(statistic, p_value, f_statistic, float(stats.f.sf(f_statistic, k - 1, (k - 1) * (pairs - 1))))


def nemenyi_critical_difference(methods: int, pairs: int, alpha: float = 0.05) -> float:
    """Mean ranks that differ by at least this differ significantly, all methods being compared with all others.

        q(alpha, methods) sqrt(methods (methods + 1) / (6 pairs))

    with q the quantile of the studentised range for infinite degrees of freedom, divided by sqrt(2). It is weak
    where one method is compared with each other: `compare_with_control` is for that.

    Args:
        methods: how many are ranked.
        pairs: how many in/out pairs they are ranked on.
        alpha: chance to call any two equal methods different, a fraction in (0, 1).

    Returns:
        A difference of mean ranks. Above methods - 1 no ranks can reach it.

    Raises:
        TooFewSamples: there are fewer than two methods or no pair.
        InvalidInput: `alpha` is outside (0, 1).

    Source: Nemenyi, 1963; Demsar, JMLR 2006.
    """
    if methods < 2 or pairs < 1:
        raise TooFewSamples(f"a critical difference needs at least 2 methods and 1 pair, got {methods} and {pairs}")
    if not 0 < alpha < 1:
        raise InvalidInput(f"alpha must be a fraction between 0 and 1, such as 0.05, got {alpha}")
    quantile = float(stats.studentized_range.ppf(1 - alpha, methods, inf))
    return quantile / sqrt(2) * sqrt(methods * (methods + 1) / (6 * pairs))


def _table(table: ArrayLike) -> NDArray[np.float64]:
    try:
        values = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the table cannot be read as an array of numbers: {error}") from error
    if values.ndim != 2 or values.size == 0:
        raise InvalidInput(f"the table must have shape (methods, pairs) and hold something, got {values.shape}")
    missing = int(np.isnan(values).sum())
    if missing:
        raise InvalidInput(
            f"the table holds NaN in {missing} of {values.size} places; compare methods on pairs that all of them have"
        )
    return values


def _doubled_ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """(methods, pairs) twice the rank of each method on each pair; doubled, so that midranks are integers."""
    ranks: NDArray[np.float64] = stats.rankdata(-values, axis=0)
    return np.rint(2 * ranks).astype(np.int64)


def _chance_of_agreement(ranks: NDArray[np.int64], pairs: int) -> float:
    """Chance that `pairs` random orders of these ranks are the same one."""
    _, ties = np.unique(ranks, return_counts=True)
    orders: int = factorial(len(ranks)) // prod(factorial(int(t)) for t in ties)
    return (1 / orders) ** (pairs - 1)
