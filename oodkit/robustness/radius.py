"""A radius as people write it: 8/255, or a fraction of the pixels' range."""

from fractions import Fraction

from oodkit.attacks.ball import NORMS, Ball
from oodkit.errors import InvalidInput


def parse_radius(text: str) -> float:
    """A radius in pixels of [0, 1] from "8/255", "0.5/255" or "0.03".

    Raises:
        InvalidInput: neither a number nor a fraction.
    """
    try:
        parts = [Fraction(part) for part in text.replace(" ", "").split("/")]  # neither nan nor inf is a fraction
        above, below = parts if len(parts) > 1 else (parts[0], Fraction(1))
        return float(above / below)
    except (ValueError, ArithmeticError):
        raise InvalidInput(f"eps is a fraction such as 8/255 or a number such as 0.03, got {text!r}") from None


def make_ball(norm: str, eps: float) -> Ball:
    """The ball of a norm, "linf" or "l2".

    Raises:
        InvalidInput: another norm, or a radius out of its range.
    """
    if norm not in NORMS:
        raise InvalidInput(f"the norm is one of {', '.join(NORMS)}, got {norm!r}")
    return NORMS[norm](eps)
