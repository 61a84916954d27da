"""Shifting transformations by name: views that show the image's parts and no longer what it shows."""

from typing import Literal, get_args

from oodkit.errors import InvalidInput, nearest_names

Shift = Literal["rotate", "rotate90", "rotate180", "rotate270", "rotate_any", "patches2", "patches4", "pixels"]

SHIFTS: tuple[str, ...] = get_args(Shift)
_TURNS = ("rotate90", "rotate180", "rotate270")
_DRAWN = {"rotate_any": "rotate_any", "patches2": "patches2_", "patches4": "patches4_", "pixels": "pixels"}


def shift_names(text: str) -> tuple[str, ...]:
    """The transformations of "rotate90" or "rotate90+patches2", one after the other.

    Raises:
        InvalidInput: one of them does not exist, or is there twice.
    """
    names = tuple(text.split("+")) if isinstance(text, str) else ()
    wrong = [name for name in names if name not in SHIFTS]
    if not names or wrong or len(set(names)) < len(names):
        near = nearest_names(wrong[0], SHIFTS) if wrong else []
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(f"shift must be one of {', '.join(SHIFTS)}, or several such as a+b, got {text!r}{hint}")
    return names


def shift_views(text: str, draws: int) -> tuple[str, ...]:
    """Names of the views of these transformations; of those that draw at random, so many draws each."""
    found: list[str] = []
    for name in shift_names(text):
        if name in _DRAWN:
            found += [f"{_DRAWN[name]}{draw}" for draw in range(1, draws + 1)]
        else:
            found += _TURNS if name == "rotate" else (name,)
    return tuple(dict.fromkeys(found))
