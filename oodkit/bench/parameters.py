"""Parameters of scorers that are wrong whatever the data: found before anything is embedded."""

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch

from oodkit.errors import InvalidInput, OodkitError, TooFewSamples
from oodkit.scorers import create, scorers
from oodkit.scorers.base import Head, Need

_ROWS, _COLUMNS, _CLASSES = 66, 11, 4
_GIVEN = frozenset({Need.LABELS, Need.HEAD, Need.LOGITS})


def check_params(name: str, params: Mapping[str, Any]) -> None:
    """Refuse parameters that no data would allow.

    A scorer checks its parameters when it is fitted. What is of another type than the scorer declares is refused here;
    whether it is out of range a fit to a few made-up rows says, where these are all that the scorer needs. Whole
    numbers above zero may be bounded by the data, and are left to the real fit.

    Raises:
        UnknownName: no such scorer.
        InvalidInput: no such parameter, a wrong type, or out of range.
    """
    create(name, **params)
    made = scorers.load(name)
    hints = get_type_hints(made.__init__) if isinstance(made, type) else {}  # type: ignore[misc]  # the class is asked
    for key, value in params.items():
        if key in hints and (kind := _expected(hints[key], value)) is not None:
            raise InvalidInput(f"{name}.{key} must be {kind}, got {value!r}")
    risky = {key: value for key, value in params.items() if not _is_count(value)}
    if risky and _refuses(name, {}) is None and (reason := _refuses(name, risky)) is not None:
        # What names the size of the made-up rows would tell nobody anything.
        made_up = re.search(rf"\b({_ROWS}|{_COLUMNS}|{_COLUMNS - 1})\b", reason)
        given = ", ".join(f"{key}={value!r}" for key, value in risky.items())
        raise InvalidInput(f"scorer {name!r}: {f'{given} is out of range whatever the data' if made_up else reason}")


def _is_count(value: Any) -> bool:
    return isinstance(value, bool | str | NoneType) or (isinstance(value, int) and value > 0)


def _refuses(name: str, params: Mapping[str, Any]) -> str | None:
    """Why a fit to made-up rows fails; None where it does not, or cannot be tried."""
    model = create(name, **params)
    if not model.needs <= _GIVEN:
        return None
    draw = torch.Generator().manual_seed(0)
    rows = torch.rand(_ROWS, _COLUMNS, generator=draw) + torch.eye(_COLUMNS).repeat(_ROWS // _COLUMNS, 1)
    head = Head(torch.eye(_CLASSES, _COLUMNS), torch.zeros(_CLASSES))
    try:
        model.fit(rows, labels=torch.arange(_ROWS) % _CLASSES, head=head)
    except TooFewSamples:
        return None
    except OodkitError as error:
        return str(error)
    return None


def _expected(annotation: Any, value: Any) -> str | None:
    """What a value should be; None where it is that, or the annotation does not say."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        wrong = [_expected(part, value) for part in parts]
        return None if None in wrong else " or ".join(text for text in wrong if text)
    if origin is Literal:
        return None if value in parts else f"one of {', '.join(map(str, parts))}"
    if origin is tuple:
        return None if isinstance(value, list | tuple) else "a list"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return None if number and value == int(value) else "a whole number"
    if annotation is float:
        return None if number else "a number (with a point where it has an exponent, as in 1.0e-3)"
    kinds: dict[Any, tuple[type, str]] = {
        bool: (bool, "true or false"),
        NoneType: (NoneType, "null"),
        str: (str, "text"),
    }
    if annotation in kinds:
        kind, words = kinds[annotation]
        return None if isinstance(value, kind) else words
    return None
