"""What a command says when it is interrupted: what is kept, and how to go on."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def kept_when_interrupted(kept: str) -> Iterator[None]:
    """Let an interruption of what runs inside say `kept`, such as "finished images are kept in DIR"."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Abort(f"interrupted; {kept}") from None
