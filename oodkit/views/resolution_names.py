"""Names of the views `resolutionN`, as text."""

import re

from oodkit.errors import InvalidInput

SMALLEST_SIDE = 4  # below, hardly anything of an image is left

_NAME = re.compile(r"resolution([1-9]\d{0,4})")


def resolution_view(side: int) -> str:
    """The name of the view that shrinks the shorter side of each image to `side` pixels.

    Raises:
        InvalidInput: fewer than 4 pixels, or more than 99,999.
    """
    name = f"resolution{side}"
    if side_of_name(name) is None:
        raise InvalidInput(
            f"a source resolution must be from {SMALLEST_SIDE} to 99999 pixels of the shorter side, got {side}"
        )
    return name


def side_of_name(name: str) -> int | None:
    """N of `resolutionN`; None for any other name."""
    match = _NAME.fullmatch(name)
    side = int(match[1]) if match else 0
    return side if side >= SMALLEST_SIDE else None
