"""Records as CSV: a line each, every digit of every figure."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

from oodkit.bench.record import Record
from oodkit.report.columns import COLUMNS

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(records: Iterable[Record]) -> str:
    """A head and a line per record; metrics are fractions, what is missing is empty.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        writer.writerow([_cell(value(record)) for value in COLUMNS.values()])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value
