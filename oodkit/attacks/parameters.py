"""Parameters of attacks as people type them."""

from collections.abc import Sequence
from inspect import signature
from typing import Any

from oodkit.attacks.registry import TORCHATTACKS, attacks
from oodkit.errors import InvalidInput, nearest_names


def parse_parameters(attack: str, words: Sequence[str]) -> dict[str, Any]:
    """K=V words as parameters of an attack, whole numbers and decimals told apart by how they are written.

    Raises:
        InvalidInput: a word of another form, or a parameter that the attack does not have.
        UnknownName: no such attack.
    """
    params: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not (equals and key and text):
            raise InvalidInput(f"a parameter of an attack is NAME=VALUE, such as steps=100, got {word!r}")
        params[key] = _number(key, text)
    check_parameters(attack, params)
    return params


def check_parameters(attack: str, params: Any) -> None:
    """Refuse parameters that an attack does not have.

    Raises:
        InvalidInput: one is unknown; those of torchattacks are checked when the attack is made.
        UnknownName: no such attack.
    """
    if attack.startswith(TORCHATTACKS):
        return
    known = [key for key in signature(attacks.load(attack)).parameters if key != "ball"]
    for key in params:
        if key not in known:
            near = nearest_names(key, known)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(
                f"attack {attack} has no parameter {key!r}{meant or '.'} It has: {', '.join(known) or 'none'}"
            )


def _number(key: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise InvalidInput(f"parameter {key} of an attack is a number, got {text!r}")
