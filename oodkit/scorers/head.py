"""A linear classifier in whatever form it comes, read as weight and bias."""

from typing import Any, NamedTuple

from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.rows import as_tensor, check_finite, floating


class Head(NamedTuple):
    """A linear classifier: logits = features @ weight.T + bias."""

    weight: Tensor  # (C, D)
    bias: Tensor  # (C,)


def read_head(head: Any) -> Head:
    """Weight and bias of (weight, bias), of an `nn.Linear` or of anything that has both; a bias of None is 0.

    Returns:
        (C, D) and (C,), detached, float32 or float64 alike, on the device of the weight.

    Raises:
        InvalidInput: it is none of these, or weight and bias do not fit together.
    """
    weight, bias = getattr(head, "weight", None), getattr(head, "bias", None)
    if isinstance(head, tuple | list) and len(head) == 2:
        weight, bias = head
    if weight is None:
        raise InvalidInput(
            f"a head must be (weight, bias), an nn.Linear or a LinearHead, got {_described(head)}; "
            "a bias of None stands for 0"
        )
    return checked_head(weight, bias)


def checked_head(weight: Any, bias: Any) -> Head:
    """Weight and bias of any array-like form as `read_head` gives them; it also says what is raised."""
    rows = _numbers(weight, "head weight", 2)
    if len(rows) == 0:
        raise InvalidInput("head weight must have shape (C, D) with C >= 1, got no row")
    check_finite(rows, "head weight")
    rows, count = floating(rows), len(rows)
    if bias is None:
        return Head(rows, rows.new_zeros(count))
    added = _numbers(bias, "head bias", 1).to(rows)
    if len(added) != count or not bool(added.isfinite().all()):
        raise InvalidInput(f"head bias must be {count} finite numbers, got shape {tuple(added.shape)}")
    return Head(rows, added)


def _numbers(values: Any, name: str, ndim: int) -> Tensor:
    try:
        return as_tensor(values, name, ndim)
    except TypeError as error:
        raise InvalidInput(f"{name} must be an array of numbers: {str(error).splitlines()[0]}") from error


def _described(head: Any) -> str:
    """What was given, in a few words."""
    if isinstance(head, tuple | list):
        return f"a {type(head).__name__} of {len(head)}"
    shape = getattr(head, "shape", None)
    return type(head).__name__ if shape is None else f"an array of shape {tuple(shape)}"
