"""Cells of a report: what ran on a pair, over its seeds, under the name that tells it from the others."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from oodkit.bench.means import means
from oodkit.bench.record import Record
from oodkit.errors import OodkitError
from oodkit.scorers import scorers

METRICS = ("auroc", "fpr95_in", "fpr95_out", "aupr_in", "aupr_out", "detection_error", "ties")


class Pair(NamedTuple):
    """An in-set and an out-set, by name."""

    in_: str
    out: str


@dataclass(frozen=True)
class Cell:
    """Records that differ in nothing but their seed, and what the report calls them.

    Attributes:
        records: at least one, by seed.
        label: the scorer with its parameters that are not defaults, and what else tells it from others.
    """

    records: tuple[Record, ...]
    label: str

    @property
    def pair(self) -> Pair:
        """In-set and out-set."""
        return Pair(self.first.in_, self.first.out)

    @property
    def backbone(self) -> str:
        """Full name of the backbone."""
        return self.first.backbone

    @property
    def first(self) -> Record:
        """The record of the smallest seed, of those that did not fail where there are any."""
        return self.finished[0] if self.finished else self.records[0]

    @property
    def finished(self) -> tuple[Record, ...]:
        """The records that have figures."""
        return tuple(record for record in self.records if record.auroc is not None)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why records failed, each reason once."""
        return _once(record.error for record in self.records if record.error is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of all records, each once."""
        return _once(note for record in self.records for note in record.notes)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Doubts of all records, each once."""
        return _once(doubt for record in self.records for doubt in record.doubts)

    def value(self, metric: str) -> float | None:
        """A metric's mean over the seeds that have it; None where none does."""
        found = [value for record in self.records if (value := getattr(record, metric)) is not None]
        return float(np.mean(found)) if found else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the AUROC: DeLong's of one seed, Student's over several; None if undefined.

        Over seeds it is of the fit alone: the draw of images is not in it.
        """
        return means(self.records)[0].interval


def make_cells(records: Iterable[Record]) -> list[Cell]:
    """Records of one kind joined over their seeds, in the order in which they first appear; one key counts once."""
    groups: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    same: dict[tuple[Any, ...], int] = defaultdict(int)
    for record in {record.key: record for record in records}.values():
        kind = _kind(record)
        # Two of one seed differ in contents, such as weights: they are no repetition, and never averaged.
        same[*kind, record.seed] += 1
        groups[*kind, same[*kind, record.seed]].append(record)
    names = _labels([group[0] for group in groups.values()])
    return [
        Cell(tuple(sorted(group, key=lambda record: record.seed)), name)
        for group, name in zip(groups.values(), names, strict=True)
    ]


def by_pair(cells: Iterable[Cell]) -> dict[Pair, list[Cell]]:
    """Cells by in- and out-set, in the order of the cells."""
    found: dict[Pair, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.pair].append(cell)
    return dict(found)


# What tells two cells of one scorer on one pair and backbone apart, and how a label says it.
_SETTINGS: Mapping[str, Callable[[Record], str]] = {
    "head": lambda record: f"head {record.head}" if record.head else "no head",
    "view": lambda record: record.view,
    "size": lambda record: f"{record.image_size} px",
    "precision": lambda record: record.precision,
    "limit": lambda record: f"limit {limit:,}" if (limit := record.provenance.get("limit")) else "no limit",
    "suite": lambda record: f"suite {record.suite}",
    "key": lambda record: record.key[:8],
}


def _kind(record: Record) -> tuple[Any, ...]:
    """All that a record is but its seed and its contents."""
    words = (
        record.suite,
        record.in_,
        record.out,
        record.backbone,
        record.scorer,
        _shown(_own_params(record)),
        record.view,
    )
    return (*words, record.head, record.image_size, record.precision, record.provenance.get("limit"))


def _labels(records: Sequence[Record]) -> list[str]:
    """Scorer and parameters; where these are no name, settings are added until they are."""
    names = [_scorer_label(record) for record in records]
    for setting in _SETTINGS.values():
        found: dict[tuple[str, ...], set[str]] = defaultdict(set)
        count: dict[tuple[str, ...], int] = defaultdict(int)
        for record, name in zip(records, names, strict=True):
            place = (record.backbone, name, record.in_, record.out)
            found[place].add(setting(record))
            count[place] += 1
        # A method is called the same on all pairs, so that it stands in one row.
        unclear = {place[:2] for place in found if count[place] > 1 and len(found[place]) > 1}
        names = [
            f"{name}, {setting(record)}" if (record.backbone, name) in unclear else name
            for record, name in zip(records, names, strict=True)
        ]
    return names


def _scorer_label(record: Record) -> str:
    defaults = _defaults(record.scorer)
    changed = {
        name: value for name, value in _own_params(record).items() if name not in defaults or value != defaults[name]
    }
    return f"{record.scorer} ({_shown(changed)})" if changed else record.scorer


@cache
def _defaults(scorer: str) -> Mapping[str, Any]:
    try:
        return {name: parameter.default for name, parameter in signature(scorers.load(scorer)).parameters.items()}
    except (OodkitError, ImportError):  # of a package that is not installed here: all parameters are shown
        return {}


def _own_params(record: Record) -> Mapping[str, Any]:
    """Parameters without the seed, which is the record's own."""
    return {name: value for name, value in record.params.items() if name != "seed"}


def _shown(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(params.items()))


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
