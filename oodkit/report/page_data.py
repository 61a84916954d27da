"""What the page's script draws tables and curves from: rows of numbers, and texts that are sent once."""

import json
import math
from typing import Any

from oodkit.report.cells import Cell
from oodkit.report.comparison import Place
from oodkit.report.origins import flat, origins
from oodkit.report.report import Report

_DIGITS = 6
_STANDINGS = {"none": 0, "worse": 1, "close": 2, "best": 3}


class _Texts:
    """Numbers texts, each once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def page_data(report: Report, budget_bytes: int) -> tuple[str, int]:
    """JSON that is safe inside a script element, and how many cells have scores whose curves found no room.

    Args:
        report: what to show.
        budget_bytes: room for it; curves of cells that stand first in their pair go in first.
    """
    texts = _Texts()
    shared = {name for name, _ in origins(report.records).shared}
    rows = [_row(entry.cell, entry.overall, entry.within, texts, shared) for entry in report.entries]
    whole: dict[str, Any] = {"rows": rows, "texts": list(texts.numbers), "curves": {}}
    room = budget_bytes - len(_json(whole))
    drawn = [(number, entry) for number, entry in enumerate(report.entries) if entry.curves is not None]
    drawn.sort(key=lambda one: (-_STANDINGS[one[1].overall.standing], -_STANDINGS[one[1].within.standing]))
    left_out = 0
    for number, entry in drawn:
        curves = entry.curves
        if curves is None:
            continue
        ends = [_significant(curves.low), _significant(curves.high)]
        value = [*ends, curves.in_bins, curves.out_bins, curves.false, curves.true]
        size = len(_json(value)) + 10
        if size > room:
            left_out += 1
            continue
        room -= size
        whole["curves"][str(number)] = value
    return _json(whole), left_out


def _row(cell: Cell, overall: Place, within: Place, texts: _Texts, shared: set[str]) -> dict[str, Any]:
    """One cell; the keys are those that the script reads."""
    record = cell.first
    interval = cell.interval or (None, None)
    settings = {
        "suite": record.suite,
        "parameters": ", ".join(f"{name}={value}" for name, value in sorted(record.params.items())),
        "seeds" if len(cell.records) > 1 else "seed": ", ".join(str(one.seed) for one in cell.records),
        "view": record.view,
        "head": record.head or "",
        "input": f"{record.image_size} px, {record.precision}",
        "seconds": ", ".join(f"{name} {value:.3g}" for name, value in record.seconds.items()),
        "finished": record.finished,
        "key": ", ".join(one.key for one in cell.records),
    }
    facts = [*settings.items(), *(fact for fact in flat(record.provenance) if fact[0] not in (*shared, "about"))]
    row: dict[str, Any] = {
        "i": texts(record.in_),
        "o": texts(record.out),
        "b": texts(record.backbone),
        "s": texts(cell.label),
        "m": [_fraction(cell.value(metric)) for metric in _METRICS],
        "c": [_fraction(end) for end in interval],
        "n": [record.n_fit, record.n_in, record.n_out],
        "r": [_STANDINGS[overall.standing], _STANDINGS[within.standing]],
        "f": [number for name, value in facts if value for number in (texts(name), texts(value))],
    }
    if overall.p_value is not None:
        row["p"] = float(f"{overall.p_value:.3g}")
    if len(cell.finished) > 1:
        row["k"] = [_fraction(one.auroc) for one in cell.finished]
    for key, lines in (("d", cell.doubts), ("t", cell.notes), ("e", cell.errors)):
        if lines:
            row[key] = [texts(line) for line in lines]
    if record.reported:
        row["q"] = [
            [_fraction(figure.value), texts(f"{figure.source}; {figure.protocol}; {figure.certainty}")]
            for figure in record.reported
        ]
    if record.expected is not None:
        row["x"] = [_fraction(record.expected.value), record.expected.tolerance]
    return row


# In the order in which the script numbers them.
_METRICS = ("auroc", "fpr95_in", "fpr95_out", "aupr_in", "aupr_out", "detection_error", "ties")


def _fraction(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, _DIGITS)


def _significant(value: float) -> float:
    return float(f"{value:.5g}")


def _json(value: Any) -> str:
    """JSON in ASCII, in which no text can end the script element that it stands in."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
