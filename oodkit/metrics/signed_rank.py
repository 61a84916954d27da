"""One method against each other over many in/out pairs, by Wilcoxon's signed ranks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics.holm import holm

_LONGEST_EXACT = 200  # pairs; beyond them the normal approximation is as good and the exact one slow


@dataclass(frozen=True)
class AgainstControl:
    """How a method compares with the control over the pairs.

    Attributes:
        method: its row in the table.
        wins: pairs on which it is higher than the control.
        ties: pairs on which both are equal.
        losses: pairs on which it is lower.
        p_value: Wilcoxon's signed-rank test, two-sided.
        adjusted_p_value: the same after Holm's adjustment over all methods that are compared with the control.
        least_p_value: the least p-value, not adjusted, that `wins` + `losses` pairs can give: where it exceeds
            one's level, no table of that many pairs could have been significant.
    """

    method: int
    wins: int
    ties: int
    losses: int
    p_value: float
    adjusted_p_value: float
    least_p_value: float


def compare_with_control(table: ArrayLike, control: int) -> tuple[AgainstControl, ...]:
    """Compare each method with one of them over the pairs: signed-rank tests, adjusted by Holm.

    The test takes pairs as independent; pairs that share an in-set or an OOD set are not, and then p-values only
    describe the table.

    Args:
        table: (methods, pairs) of AUROCs or other figures of which higher is better.
        control: row of the method that the others are compared with.

    Returns:
        One comparison per other row, in the order of the table. Zero differences: see `signed_rank_p_value`.

    Raises:
        TooFewSamples: the table has fewer than two methods.
        InvalidInput: the table is not two-dimensional, has no pairs or holds a value that is not finite, or it has
            no such row.

    Source: Wilcoxon, Biometrics Bulletin 1945; Holm, Scandinavian Journal of Statistics 1979; Demsar, JMLR 2006.
    """
    values = _finite(table, "the table", ("methods", "pairs"))
    if len(values) < 2:
        raise TooFewSamples("a comparison with a control needs at least 2 methods, got 1")
    if not 0 <= control < len(values):
        raise InvalidInput(f"control must be a row of the table, 0 to {len(values) - 1}, got {control}")
    others = [method for method in range(len(values)) if method != control]
    differences = [values[method] - values[control] for method in others]
    p_values = [signed_rank_p_value(difference) for difference in differences]
    return tuple(
        AgainstControl(
            method=method,
            wins=int((difference > 0).sum()),
            ties=int((difference == 0).sum()),
            losses=int((difference < 0).sum()),
            p_value=p_value,
            adjusted_p_value=float(adjusted),
            least_p_value=min(1.0, 2.0 ** (1 - int((difference != 0).sum()))),
        )
        for method, difference, p_value, adjusted in zip(others, differences, p_values, holm(p_values), strict=True)
    )


def signed_rank_p_value(differences: ArrayLike) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test: are the differences centred on 0?

    Zero differences are dropped, as Wilcoxon did; p is 1 if nothing is left. Differences of equal size share the
    mean of their ranks. Up to 200 differences p is exact, with ties too: the share of all choices of signs
    whose rank sums lie at least as far from the middle. With n differences it is at least 2^(1 - n): 0.0625 for 5.

    Args:
        differences: (N,) finite numbers.

    Raises:
        InvalidInput: the differences are not one-dimensional, are empty, or are not finite numbers.

    Source: Wilcoxon, Biometrics Bulletin 1945.
    """
    values = _finite(differences, "differences", ("N",))
    values = values[values != 0]
    if values.size == 0:
        return 1.0
    if values.size > _LONGEST_EXACT:
        return float(stats.wilcoxon(values, correction=True).pvalue)
    ranks = np.rint(2 * stats.rankdata(np.abs(values))).astype(np.int64)  # doubled, so that midranks are integers
    chances = _chances_of_rank_sums(ranks)
    positive, whole = int(ranks[values > 0].sum()), int(ranks.sum())
    lesser = min(positive, whole - positive)
    return min(1.0, 2 * float(chances[: lesser + 1].sum()))


def _chances_of_rank_sums(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Entry s is the chance that the ranks with a positive sign sum to s, each sign being a fair coin."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances *= 0.5
        chances[rank:] += chances[:-rank].copy()
    return chances


def _finite(values: ArrayLike, name: str, axes: tuple[str, ...]) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} cannot be read as an array of numbers: {error}") from error
    if array.ndim != len(axes) or array.size == 0:
        raise InvalidInput(f"{name} must have shape ({', '.join(axes)}) and hold something, got {array.shape}")
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        raise InvalidInput(f"{name}: {wrong} of {array.size} values are not finite; leave those pairs out")
    return array
