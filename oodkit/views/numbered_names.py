"""Names of views that end in a number, such as `resolution32` or `mild1`, as text."""

import re


def number_of(prefix: str, name: str) -> int | None:
    """N of the name PREFIX + N, where N is from 1 to 99,999 and has no leading zero; None for any other name."""
    match = re.fullmatch(re.escape(prefix) + r"([1-9]\d{0,4})", name)
    return int(match[1]) if match else None
