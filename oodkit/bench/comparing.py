"""Two runs or two scorers side by side, cell by cell, on the same images."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oodkit.bench.labels import BackboneLabels, scorer_label
from oodkit.bench.record import CellScores, Record
from oodkit.bench.results import DATABASE, Results
from oodkit.errors import InvalidInput, nearest_names
from oodkit.metrics import PairedDifference, holm, paired_delong, smallest_detectable_difference

LEVEL = 0.05


@dataclass(frozen=True)
class ComparedCell:
    """One cell of A and one of B.

    Attributes:
        a: record of A.
        b: record of B.
        difference: of their AUROCs on the same images, A minus B.
        p_value: of no difference, adjusted by Holm over all cells that are compared; NaN where there is none.
        detectable: smallest difference that these images could have shown, at the level divided by the number of cells.
    """

    a: Record
    b: Record
    difference: PairedDifference
    p_value: float
    detectable: float

    @property
    def significant(self) -> bool:
        """Whether A and B differ at the 5 % level over the whole table."""
        return self.p_value <= LEVEL


@dataclass(frozen=True)
class Compared:
    """All cells that both sides have.

    Attributes:
        a: what A is.
        b: what B is.
        cells: in the order of A's records.
        left_out: cells that cannot be compared, and why, one line each.
        are_runs: whether two folders of results are compared, and not two scorers.
    """

    a: str
    b: str
    cells: tuple[ComparedCell, ...]
    left_out: tuple[str, ...]
    are_runs: bool = False

    @property
    def wins(self) -> tuple[int, int, int]:
        """Number of cells in which A is significantly better, neither, B."""
        better = sum(cell.significant and cell.difference.difference > 0 for cell in self.cells)
        worse = sum(cell.significant and cell.difference.difference < 0 for cell in self.cells)
        return better, len(self.cells) - better - worse, worse


def compare(a: str, b: str, results: Path, suite: str | None = None) -> Compared:
    """Compare two folders of results, or two scorers of one.

    Args:
        a: a folder of results, or a scorer's registry name.
        b: the same.
        results: folder of results that scorers are looked for in.
        suite: cells of this suite only; None for all.

    Raises:
        InvalidInput: one is a folder and the other is not, a scorer has no cells, or nothing is comparable.
        DataNotFound: there are no results.
    """
    folders = [(Path(name) / DATABASE).is_file() for name in (a, b)]
    if any(folders) != all(folders):
        odd = b if folders[0] else a
        raise InvalidInput(f"{odd!r} is no folder of results, but the other side is; give two folders or two scorers")
    if all(folders):
        with Results(Path(a), make=False) as of_a, Results(Path(b), make=False) as of_b:
            runs = _compare(a, b, _by_place(of_a.records(suite)), _by_place(of_b.records(suite)), of_a, of_b)
            return replace(runs, are_runs=True)
    with Results(results, make=False) as kept:
        records = kept.records(suite)
        return _compare(a, b, _by_slot(records, a, results), _by_slot(records, b, results), kept, kept)


def _compare(
    a: str, b: str, of_a: dict[str, Record], of_b: dict[str, Record], kept_a: Results, kept_b: Results
) -> Compared:
    both, left_out = [], []
    labels = BackboneLabels([*of_a.values(), *of_b.values()])
    for place, record in of_a.items():
        other = of_b.get(place)
        if other is None:
            left_out.append(f"{_called(record, labels)}: only {a} has it")
        elif record.error or other.error:
            left_out.append(f"{_called(record, labels)}: {a if record.error else b} failed")
        elif (difference := _difference(kept_a.scores(record.key), kept_b.scores(other.key))) is None:
            left_out.append(f"{_called(record, labels)}: scored on other images")
        else:
            both.append((record, other, difference))
    left_out += [f"{_called(record, labels)}: only {b} has it" for place, record in of_b.items() if place not in of_a]
    if not both:
        raise InvalidInput(f"{a} and {b} have no cell in common that could be compared: {'; '.join(left_out[:3])}")
    return Compared(a, b, tuple(_adjusted(both)), tuple(left_out))


def _adjusted(both: Sequence[tuple[Record, Record, PairedDifference]]) -> Iterator[ComparedCell]:
    tested = [i for i, (_, _, difference) in enumerate(both) if not isnan(difference.p_value)]
    p_values = np.full(len(both), np.nan)
    if tested:
        p_values[tested] = holm([both[i][2].p_value for i in tested])
    for (a, b, difference), p_value in zip(both, p_values, strict=True):
        least = smallest_detectable_difference(difference.standard_error, alpha=LEVEL / max(len(tested), 1))
        yield ComparedCell(a, b, difference, float(p_value), least)


def _difference(a: CellScores, b: CellScores) -> PairedDifference | None:
    """The paired difference; None where the images are not the same."""
    in_order, out_order = _order(a.in_ids, b.in_ids), _order(a.out_ids, b.out_ids)
    if in_order is None or out_order is None:
        return None
    return paired_delong(a.in_scores, a.out_scores, b.in_scores[in_order], b.out_scores[out_order])


def _order(ids: NDArray[np.str_], others: NDArray[np.str_]) -> NDArray[np.int64] | None:
    """Where each id stands among the others; None where they are not the same ids."""
    if np.array_equal(ids, others):
        return np.arange(len(ids))
    place = {name: i for i, name in enumerate(others.tolist())}
    if len(ids) != len(others) or any(name not in place for name in ids.tolist()):
        return None
    return np.array([place[name] for name in ids.tolist()])


def _by_place(records: Sequence[Record]) -> dict[str, Record]:
    return {record.place: record for record in records}


def _by_slot(records: Sequence[Record], scorer: str, folder: Path) -> dict[str, Record]:
    """A scorer's records by everything but scorer and parameters."""
    own = [record for record in records if record.scorer == scorer]
    if not own:
        names = sorted({record.scorer for record in records})
        near = nearest_names(scorer, names)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has: {', '.join(names) or 'nothing'}"
        raise InvalidInput(f"{folder} has no cells of a scorer {scorer!r}, and it is no folder of results; {hint}")
    found: dict[str, Record] = {}
    for record in own:
        limit = record.provenance.get("limit")
        named = [record.suite, record.in_, record.out, record.backbone, record.seed, record.view]
        slot = json.dumps([*named, record.image_size, record.precision, record.provenance.get("head_asked"), limit])
        if slot in found:
            raise InvalidInput(
                f"{scorer} was run with several settings on {record.in_} -> {record.out}; compare folders of results"
            )
        found[slot] = record
    return found


def _called(record: Record, labels: BackboneLabels) -> str:
    return f"{record.in_} -> {record.out}, {labels.of(record)}, {scorer_label(record)}, seed {record.seed}"
