"""A record as one flat row, for programs: names, fractions, and JSON for what has parts."""

import json
from collections.abc import Callable
from typing import Any

from oodkit.bench.record import Record


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _end(place: int) -> Callable[[Record], float | None]:
    return lambda record: None if record.auroc_ci is None else record.auroc_ci[place]


# In the order in which they are written. Metrics are fractions.
COLUMNS: dict[str, Callable[[Record], Any]] = {
    "suite": lambda record: record.suite,
    "in": lambda record: record.in_,
    "out": lambda record: record.out,
    "backbone": lambda record: record.backbone,
    "scorer": lambda record: record.scorer,
    "params": lambda record: _json(dict(record.params)),
    "seed": lambda record: record.seed,
    "view": lambda record: record.view,
    "head": lambda record: record.head,
    "image_size": lambda record: record.image_size,
    "precision": lambda record: record.precision,
    "auroc": lambda record: record.auroc,
    "auroc_low": _end(0),
    "auroc_high": _end(1),
    "fpr95_in": lambda record: record.fpr95_in,
    "fpr95_out": lambda record: record.fpr95_out,
    "aupr_in": lambda record: record.aupr_in,
    "aupr_out": lambda record: record.aupr_out,
    "detection_error": lambda record: record.detection_error,
    "ties": lambda record: record.ties,
    "n_fit": lambda record: record.n_fit,
    "n_in": lambda record: record.n_in,
    "n_out": lambda record: record.n_out,
    "expected": lambda record: None if record.expected is None else record.expected.value,
    "tolerance": lambda record: None if record.expected is None else record.expected.tolerance,
    "error": lambda record: record.error,
    "doubts": lambda record: _json(list(record.doubts)),
    "notes": lambda record: _json(list(record.notes)),
    "reported": lambda record: _json([vars(figure) for figure in record.reported]),
    "seconds": lambda record: _json(dict(record.seconds)),
    "finished": lambda record: record.finished,
    "provenance": lambda record: _json(dict(record.provenance)),
    "key": lambda record: record.key,
}
