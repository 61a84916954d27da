"""Lists of images to leave out of a count, by content, whatever sets and names they turn up under."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from oodkit.errors import DataNotFound, InvalidInput

COLUMNS = ("sha256", "set", "id")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_left_out(file: str | Path, rows: Iterable[tuple[str, str, str]]) -> int:
    """Write a CSV file with the columns sha256 (hex, of the encoded content), set and id; returns how many rows.

    Raises:
        OSError: the file cannot be written.
    """
    listed = list(rows)
    with Path(file).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *listed])
    return len(listed)


def read_left_out(file: str | Path) -> frozenset[str]:
    """The hashes of a file that `write_left_out` wrote, or of any CSV file whose first column is a SHA-256.

    A header, empty lines and those that begin with # are passed over; a list without images is one too.

    Raises:
        DataNotFound: no such file.
        InvalidInput: a line that does not begin with a SHA-256; with its number.
    """
    path = Path(file).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataNotFound(f"the list of images to leave out, {path}, cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text; `oodkit audit --exclude` writes such a list") from error
    found: set[str] = set()
    for number, line in enumerate(lines, start=1):
        first = line.split(",")[0].strip().lower()
        if not first or first.startswith("#") or (first == COLUMNS[0] and not found):
            continue
        if not _DIGEST.fullmatch(first):
            raise InvalidInput(
                f"line {number} of {path} does not begin with a SHA-256; `oodkit audit --exclude` writes such a list"
            )
        found.add(first)
    return frozenset(found)
