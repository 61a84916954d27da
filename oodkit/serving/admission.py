"""How many images are inside at once: no more are let in than can be held."""

from collections.abc import Iterator
from contextlib import contextmanager


class Full(Exception):
    """There is no room now."""


class Admission:
    """Counts what is inside; for one thread.

    Args:
        most: what there is room for.
    """

    def __init__(self, most: int) -> None:
        self.inside = 0
        self._most = most

    @contextmanager
    def admit(self, count: int) -> Iterator[None]:
        """Room for `count` while the block runs.

        Raises:
            Full: there is not enough.
        """
        if self.inside + count > self._most:
            raise Full
        self.inside += count
        try:
            yield
        finally:
            self.inside -= count
