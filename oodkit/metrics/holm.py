"""P-values of many tests, adjusted so that one may read them all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.errors import InvalidInput


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p-values: refuting where they are at most alpha errs at all with chance alpha at most.

    The i-th smallest of m is multiplied by m - i + 1, is at least as large as those before it, and at most 1. It holds
    however the tests depend on each other, and is never larger than Bonferroni's.

    Args:
        p_values: of any shape; all of them count as one family.

    Returns:
        The adjusted p-values in the same shape and order.

    Raises:
        InvalidInput: a value is NaN or outside [0, 1], or is no number.

    Source: Holm, Scandinavian Journal of Statistics 1979.
    """
    try:
        raw = np.asarray(p_values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"p_values cannot be read as an array of numbers: {error}") from error
    wrong = ~((raw >= 0) & (raw <= 1))  # true for NaN
    if wrong.any():
        raise InvalidInput(
            f"p_values must lie in [0, 1], got {raw[wrong][0]} and {int(wrong.sum())} wrong in all; "
            "leave out tests that have none, since they are not part of the family"
        )
    order = np.argsort(raw, axis=None, kind="stable")
    stepped = np.maximum.accumulate(raw.ravel()[order] * np.arange(raw.size, 0, -1))
    adjusted = np.empty(raw.size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.reshape(raw.shape)
