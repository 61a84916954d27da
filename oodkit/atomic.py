"""Files that are either whole or not there."""

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

PARTIAL_SUFFIX = ".partial"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, flush it to the disk, and rename it.

    Raises:
        OSError: it could not be written; the temporary file is gone and an older file of that name stands.
    """
    with atomic_file(path) as stream:
        stream.write(data)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write part by part, which gets its name when the block ends well; else it is gone, as above.

    What is there and no plain file, such as a pipe, is written to as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        with partial.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


@contextlib.contextmanager
def atomic_text(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """The same for text, in UTF-8 and with line ends as they are written."""
    with atomic_file(path) as raw:
        text = io.TextIOWrapper(raw, "utf-8", errors=errors, newline="")
        try:
            yield text
            text.flush()
        finally:
            text.detach()
