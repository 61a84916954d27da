"""All that a report shows, gathered once for every format."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

from oodkit.bench.record import CellScores, Record
from oodkit.errors import OodkitError
from oodkit.progress import progress
from oodkit.report.cells import Cell, Pair, by_pair, make_cells
from oodkit.report.comparison import Comparison, Place, best_of, images_of
from oodkit.report.curves import Curves, make_curves
from oodkit.report.pictures import PairPictures

RECONSTRUCTED = "reconstructed list"
ScoresOf = Callable[[str], CellScores]


@dataclass(frozen=True)
class Entry:
    """A cell and what a report adds to it.

    Attributes:
        cell: the figures.
        overall: where it stands among all cells of its pair.
        within: where it stands among those of its pair and backbone.
        curves: of its first seed; None where no scores are kept.
    """

    cell: Cell
    overall: Place
    within: Place
    curves: Curves | None = None


@dataclass(frozen=True)
class Report:
    """What every format is made from.

    Attributes:
        title: of the page or document.
        about: what the suites say of themselves, a paragraph each.
        labels: the shortest form of it, such as "reconstructed list".
        entries: one per cell.
        made: when, UTC, ISO 8601.
        version: of the program.
        notes: what could not be shown, and why; one line each.
        pictures: the most confidently wrong images, by pair.
    """

    title: str
    about: tuple[str, ...]
    labels: tuple[str, ...]
    entries: tuple[Entry, ...]
    made: str
    version: str
    notes: tuple[str, ...] = ()
    pictures: tuple[PairPictures, ...] = ()

    @property
    def pairs(self) -> list[Pair]:
        """In- and out-sets, in the order of the entries."""
        return list(dict.fromkeys(entry.cell.pair for entry in self.entries))

    @property
    def backbones(self) -> list[str]:
        """Names of backbones, in the order of the entries."""
        return list(dict.fromkeys(entry.cell.backbone for entry in self.entries))

    @property
    def records(self) -> list[Record]:
        """The records of all entries."""
        return [record for entry in self.entries for record in entry.cell.records]

    def best(self, pair: Pair) -> Cell | None:
        """The cell of the highest AUROC on a pair; None if all failed."""
        return best_of([entry.cell for entry in self.entries if entry.cell.pair == pair])


def make_report(records: Iterable[Record], scores_of: ScoresOf | None = None, *, title: str = "") -> Report:
    """Join records over seeds, compare them within each pair, and draw what scores there are.

    Args:
        records: of one suite or of several.
        scores_of: the scores behind a record's key, as `Results.scores`; None to compare by intervals alone.
        title: of the report; empty for the names of the suites.
    """
    given = list(records)
    cells = make_cells(given)
    about = tuple(dict.fromkeys(str(text) for record in given if (text := record.provenance.get("about"))))
    suites = list(dict.fromkeys(record.suite for record in given))
    entries: dict[int, Entry] = {}
    missing: list[str] = []
    with progress("comparing", len(cells), unit="cells") as advance:
        for group in by_pair(cells).values():
            entries.update(_compared(group, scores_of, missing))
            advance(len(group))
    notes = []
    if missing:
        notes.append(f"no scores of {len(missing)} cells, so that intervals are compared there: {missing[0]}")
    return Report(
        title=title or (f"Suite {', '.join(suites)}" if suites else "No results"),
        about=about,
        labels=(RECONSTRUCTED,) if any(RECONSTRUCTED in text.lower() for text in about) else (),
        entries=tuple(entries[id(cell)] for cell in cells),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("oodkit-vision"),
        notes=tuple(notes),
    )


def with_pictures(report: Report, pictures: Sequence[PairPictures], notes: Sequence[str]) -> Report:
    """The report with images, and notes on those that could not be found."""
    return replace(report, pictures=tuple(pictures), notes=(*report.notes, *notes))


def _compared(cells: Sequence[Cell], scores_of: ScoresOf | None, missing: list[str]) -> dict[int, Entry]:
    """Entries of one pair's cells, by the id of the cell."""
    ranked = sorted(cells, key=lambda cell: -1.0 if (value := cell.value("auroc")) is None else value, reverse=True)
    overall: Comparison | None = None
    within: dict[str, Comparison] = {}
    curves: dict[int, Curves] = {}
    for cell in ranked:
        if not cell.finished:
            continue
        scores = _read(cell, scores_of, missing)
        images = None if scores is None else images_of(scores)
        overall = overall or Comparison(cell, scores)
        own = within.setdefault(cell.backbone, Comparison(cell, scores))
        for comparison in (overall, own):
            comparison.add(cell, scores, images)
        if scores is not None:
            curves[id(cell)] = make_curves(scores.in_scores, scores.out_scores)
    of_all = {} if overall is None else {id(cell): place for cell, place in overall.places()}
    of_own = {id(cell): place for comparison in within.values() for cell, place in comparison.places()}
    nowhere = Place("none")
    return {
        id(cell): Entry(cell, of_all.get(id(cell), nowhere), of_own.get(id(cell), nowhere), curves.get(id(cell)))
        for cell in cells
    }


def _read(cell: Cell, scores_of: ScoresOf | None, missing: list[str]) -> CellScores | None:
    if scores_of is None:
        return None
    try:
        return scores_of(cell.first.key)
    except OodkitError as error:
        missing.append(str(error))
        return None
