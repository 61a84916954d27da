"""Words of options: NAME=VALUE of `--param`, and lists with commas."""

import json
from typing import Any


def comma_words(text: str | None) -> list[str]:
    """The words of text with commas between them; none of None or no text."""
    return [] if not text else [word.strip() for word in text.split(",")]


def setting_texts(words: list[str], example: str) -> dict[str, str]:
    """Names to values as text, of NAME=VALUE words.

    Args:
        words: as typed.
        example: shown where a word is of another form, such as "heads=8".

    Raises:
        InvalidInput: a word without a name or without an equals sign.
    """
    from oodkit.errors import InvalidInput

    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (equals and name):
            raise InvalidInput(f"--param must be NAME=VALUE, such as {example}, got {word!r}")
        found[name] = text
    return found


def setting_values(words: list[str], example: str) -> dict[str, Any]:
    """The same with numbers, true, false and null as what they are; anything else stays text.

    Args:
        words: as typed.
        example: as in `setting_texts`.

    Raises:
        InvalidInput: as `setting_texts`.
    """
    return {name: _value(text) for name, text in setting_texts(words, example).items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
