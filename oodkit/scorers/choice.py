"""Parameters that are one of a few words."""

from typing import Any, get_args

from oodkit.errors import InvalidInput


def check_choice(name: str, value: Any, options: Any) -> None:
    """Raise InvalidInput where a parameter is none of the words that its type allows.

    Args:
        name: of the parameter.
        value: what was given.
        options: a `Literal` type.
    """
    words = get_args(options)
    if value not in words:
        raise InvalidInput(f"{name} must be one of {', '.join(map(repr, words))}, got {value!r}")
