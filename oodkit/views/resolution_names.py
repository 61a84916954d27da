"""Names of the views `resolutionN`, as text."""

from oodkit.errors import InvalidInput
from oodkit.views.numbered_names import number_of

SMALLEST_SIDE = 4  # below, hardly anything of an image is left


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
    side = number_of("resolution", name)
    return side if side is not None and side >= SMALLEST_SIDE else None
