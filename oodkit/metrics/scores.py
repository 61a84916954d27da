"""What every metric does first: check the scores of both sides and sort them."""

import sys
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.errors import InvalidInput

Scores: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Side: TypeAlias = Literal["in", "out"]


def sorted_scores(in_scores: ArrayLike, out_scores: ArrayLike) -> tuple[Scores, Scores]:
    """Copies of both sides in ascending order and of one dtype.

    Args:
        in_scores: (N,) real numbers, infinities allowed: an array, a list, or a torch tensor on any device.
        out_scores: (M,) the same.

    Returns:
        Both float32 if both were, since sorting that is twice as fast; both float64 otherwise.

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers.
    """
    in_values, out_values = _of_one_dtype(in_scores, out_scores, ("in_scores", "out_scores"))
    return _sorted(in_values, "in_scores"), _sorted(out_values, "out_scores")


def checked_scores(in_scores: ArrayLike, out_scores: ArrayLike, names: tuple[str, str]) -> tuple[Scores, Scores]:
    """Like `sorted_scores`, but in the order given: for scores that belong to images. `names` is for messages."""
    both = _of_one_dtype(in_scores, out_scores, names)
    for values, name in zip(both, names, strict=True):
        _refuse_nan(values, name)
    return both


def ascending(scores: Scores) -> Scores:
    """A sorted copy."""
    ordered = scores.copy()
    ordered.sort()
    return ordered


def by_positive(ordered_in: Scores, ordered_out: Scores, positive: Side) -> tuple[Scores, Scores]:
    """The positive and the negative side, ascending, with signs such that positives should be higher.

    Raises:
        InvalidInput: `positive` is neither "in" nor "out".
    """
    if positive == "in":
        return ordered_in, ordered_out
    if positive == "out":
        return -ordered_out[::-1], -ordered_in[::-1]
    raise InvalidInput(f"positive must be 'in' or 'out', the side that counts as found, got {positive!r}")


def _of_one_dtype(in_scores: ArrayLike, out_scores: ArrayLike, names: tuple[str, str]) -> tuple[Scores, Scores]:
    in_values, out_values = _array(in_scores, names[0]), _array(out_scores, names[1])
    if in_values.dtype == out_values.dtype == np.float32:
        return in_values.astype(np.float32), out_values.astype(np.float32)
    return in_values.astype(np.float64), out_values.astype(np.float64)


def _array(values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(_on_host(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{name} cannot be read as an array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise InvalidInput(f"{name} must hold real numbers, got dtype {array.dtype}; convert it to float first")
    if array.ndim != 1:
        raise InvalidInput(f"{name} must have shape (N,), got {array.shape}; pass one score per image")
    if array.size == 0:
        raise InvalidInput(f"{name} is empty; a metric needs at least one score of each side")
    return array


def _on_host(values: Any) -> Any:
    torch = sys.modules.get("torch")  # a tensor exists only if its owner has imported torch
    if torch is None or not isinstance(values, torch.Tensor):
        return values
    tensor = values.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()  # NumPy has no bfloat16


def _sorted(values: Scores, name: str) -> Scores:
    values.sort()
    if np.isnan(values[-1]):  # sorting puts NaN last
        _refuse_nan(values, name)
    return values


def _refuse_nan(values: Scores, name: str) -> None:
    count = int(np.isnan(values).sum())
    if count:
        raise InvalidInput(f"{name} holds NaN in {count} of {values.size} places; NaN has no rank, so fix or drop them")
