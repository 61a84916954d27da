"""Checks of parameters: what is out of range, or no number or word at all, is refused in one line."""

from collections.abc import Callable
from math import isfinite
from numbers import Real
from typing import Any, get_args

import numpy as np

from oodkit.errors import InvalidInput

LARGEST_SEED = 2**32 - 1  # that every generator takes
_SHOWN = 60  # characters of a wrong value that a message repeats


def check_integer(name: str, value: Any, least: int, most: int | None = None, why: str = "") -> int:
    """A parameter as an integer; 5.0 is one as well.

    Args:
        name: of the parameter.
        value: what was given.
        least, most: the smallest and the largest that is allowed; None for no largest.
        why: what `most` is, for the message.

    Raises:
        InvalidInput: not a whole number in this range.
    """
    number = _as_number(value)
    if number is not None and number == int(number) and least <= number and (most is None or number <= most):
        return int(value)
    allowed = f"of at least {least}" if most is None else f"from {least} to {most}{', ' if why else ''}{why}"
    raise _refused(name, f"an integer {allowed}", value)


def check_seed(value: Any) -> int:
    """The seed of a random draw, an integer from 0 to 2^32 - 1; raises InvalidInput for anything else."""
    return check_integer("seed", value, 0, LARGEST_SEED)


def check_number(name: str, value: Any, what: str, allowed: Callable[[float], bool]) -> None:
    """Raise InvalidInput for a parameter that is not a finite number of some kind.

    Args:
        name: of the parameter.
        value: what was given.
        what: the kind in words, such as "a number of at least 0".
        allowed: whether a number is of that kind.
    """
    number = _as_number(value)
    if number is None or not allowed(number):
        raise _refused(name, what, value)


def check_positive(name: str, value: Any) -> None:
    """Raise InvalidInput for a parameter that is not a positive, finite number."""
    check_number(name, value, "a positive number", lambda number: number > 0)


def check_percentile(name: str, value: Any) -> None:
    """Raise InvalidInput for a percentile outside 0 .. 100."""
    check_number(name, value, "a percentile from 0 to 100", lambda number: 0 <= number <= 100)


def check_flag(name: str, value: Any) -> None:
    """Raise InvalidInput for a parameter that is neither true nor false."""
    if not isinstance(value, bool | np.bool_):
        raise _refused(name, "True or False", value)


def check_choice(name: str, value: Any, options: Any) -> None:
    """Raise InvalidInput where a parameter is none of the words that its type allows.

    Args:
        name: of the parameter.
        value: what was given.
        options: a `Literal` type.
    """
    words = get_args(options)
    if not isinstance(value, str) or value not in words:
        raise _refused(name, f"one of {', '.join(map(repr, words))}", value)


def _as_number(value: Any) -> float | None:
    """The value as a finite number, or None where it is none; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:  # an integer beyond all floats
        return None


def _refused(name: str, what: str, value: Any) -> InvalidInput:
    shown = str(value) if isinstance(value, Real) else " ".join(repr(value).split())
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "..."
    return InvalidInput(f"{name} must be {what}, got {shown}")
