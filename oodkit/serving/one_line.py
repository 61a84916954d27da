"""What pydantic finds wrong, as one line."""

from collections.abc import Iterable, Mapping
from typing import Any


def one_line(faults: Iterable[Mapping[str, Any]]) -> str:
    """The first fault: where it is and what; and how many there are beside it.

    Args:
        faults: as `ValidationError.errors()` gives them.
    """
    first, *more = faults
    place = ".".join(str(step) for step in first["loc"])
    text = f"{place}: {first['msg']}" if place else str(first["msg"])
    beside = f" (and {len(more)} more)" if more else ""
    return " ".join(text.split()) + beside
