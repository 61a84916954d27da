"""Cells as tables for paper: methods down, the out-sets of one in-set across."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from oodkit.report.cells import Pair
from oodkit.report.comparison import Standing
from oodkit.report.report import Entry, Report

_DECIMAL = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class TableCell:
    """What stands in one place of a table.

    Attributes:
        text: the figure in per cent, "failed", or empty where nothing ran.
        standing: among the cells of its column; "none" without a figure.
        marks: numbers of the doubts below the table.
    """

    text: str
    standing: Standing = "none"
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """One in-set.

    Attributes:
        caption: what is shown.
        head: names of the columns: backbone, scorer, and the out-sets.
        rows: backbone, scorer, and a cell for each out-set.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[TableCell, ...]], ...]


CAPTIONS = {
    "auroc": "AUROC in per cent, higher is better",
    "fpr95_in": "FPR95 in per cent: out-images accepted where 95 % of in-images are, lower is better",
}


def make_tables(report: Report, metric: str = "auroc") -> tuple[list[Table], list[str]]:
    """A table for each in-set, and the doubts that the marks in them stand for.

    Args:
        report: what to show.
        metric: "auroc" or "fpr95_in". Standings are those of the AUROC, and shown beside it alone.
    """
    doubts = _Doubts()
    tables = []
    for in_ in dict.fromkeys(pair.in_ for pair in report.pairs):
        pairs = [pair for pair in report.pairs if pair.in_ == in_]
        entries = [entry for entry in report.entries if entry.cell.pair.in_ == in_]
        places = {(entry.cell.backbone, entry.cell.label, entry.cell.pair): entry for entry in entries}
        methods = dict.fromkeys((entry.cell.backbone, entry.cell.label) for entry in entries)
        rows = tuple(
            (backbone, label, _cells([places.get((backbone, label, pair)) for pair in pairs], metric, doubts))
            for backbone, label in methods
        )
        tables.append(Table(_caption(in_, pairs, metric), ("backbone", "scorer", *(p.out for p in pairs)), rows))
    return tables, doubts.lines


def per_cent(value: float | None, digits: int = 2) -> str:
    """A fraction in per cent; empty for None."""
    return "" if value is None else f"{100 * value:.{digits}f}"


class _Doubts:
    """Numbers doubts; those that differ in decimal fractions alone, such as widths of intervals, share a number."""

    def __init__(self) -> None:
        self._found: dict[str, list[list[str]]] = {}

    def number(self, doubt: str) -> int:
        """The number of a doubt, from 1 on."""
        pattern = _DECIMAL.sub("\0", doubt)
        self._found.setdefault(pattern, []).append(_DECIMAL.findall(doubt))
        return 1 + list(self._found).index(pattern)

    @property
    def lines(self) -> list[str]:
        """Doubts by number, with the range of what differs."""
        return [self._line(pattern, found) for pattern, found in self._found.items()]

    def _line(self, pattern: str, found: list[list[str]]) -> str:
        ranges = []
        for values in zip(*found, strict=True):
            low, high = min(values, key=float), max(values, key=float)
            ranges.append(low if low == high else f"{low} to {high}")
        parts = pattern.split("\0")
        return parts[0] + "".join(value + part for value, part in zip(ranges, parts[1:], strict=True))


def _caption(in_: str, pairs: Sequence[Pair], metric: str) -> str:
    return (
        f"{CAPTIONS[metric]}; in: {in_}" if len(pairs) != 1 else f"{CAPTIONS[metric]}; in: {in_}, out: {pairs[0].out}"
    )


def _cells(entries: Sequence[Entry | None], metric: str, doubts: _Doubts) -> tuple[TableCell, ...]:
    cells = []
    for entry in entries:
        if entry is None:
            cells.append(TableCell(""))
            continue
        marks = tuple(dict.fromkeys(doubts.number(doubt) for doubt in entry.cell.doubts))
        value = entry.cell.value(metric)
        standing = entry.overall.standing if metric == "auroc" else "none"
        cells.append(TableCell("failed" if value is None else per_cent(value), standing, marks))
    return tuple(cells)
