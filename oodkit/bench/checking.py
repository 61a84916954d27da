"""Expected figures against those that were found."""

from collections.abc import Sequence
from dataclasses import dataclass

from oodkit.bench.planning import Plan
from oodkit.bench.record import Record
from oodkit.errors import InvalidInput


@dataclass(frozen=True)
class Comparison:
    """One expected figure.

    Attributes:
        name: in-set, out-set, backbone and scorer.
        expected: AUROC as a fraction.
        tolerance: how far it may be off.
        found: mean over seeds; None where the cell failed or did not run.
        reason: why there is none.
    """

    name: tuple[str, str, str, str]
    expected: float
    tolerance: float
    found: float | None
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Found minus expected; None where nothing was found."""
        return None if self.found is None else self.found - self.expected

    @property
    def holds(self) -> bool:
        """Whether the figure is reproduced; one that is off by the tolerance to the last digit is."""
        return self.difference is not None and abs(self.difference) <= self.tolerance + 1e-12


def check(plan: Plan, records: Sequence[Record]) -> list[Comparison]:
    """Compare every expected figure of the plan's pairs, backbones and scorers.

    Args:
        plan: that was run.
        records: of its cells.

    Raises:
        InvalidInput: none is expected.
    """
    suite = plan.suite
    pairs = {(pair.in_, pair.out) for pair in suite.pairs}
    backbones = {choice.name for choice in suite.backbones}
    scorers = {choice.name for choice in suite.scorers} | {record.scorer for record in records}
    found: dict[tuple[str, str, str, str], list[Record]] = {}
    names = {job.session.backbone.name: job.choice.name for job in plan.jobs}
    for record in records:
        place = (record.in_, record.out, names.get(record.backbone, record.backbone), record.scorer)
        found.setdefault(place, []).append(record)
    own = {(cell.pair.in_, cell.pair.out, cell.backbone.name, cell.scorer.name) for cell in plan.cells}
    rows = []
    for figure in suite.expected:
        name = (figure.in_, figure.out, figure.backbone, figure.scorer)
        if (figure.in_, figure.out) not in pairs or figure.backbone not in backbones or figure.scorer not in scorers:
            continue
        if name not in own and plan.is_part and not plan.missing:
            continue  # of another process
        value, reason = _found(found.get(name, []))
        rows.append(Comparison(name, figure.expected.value, figure.expected.tolerance, value, reason))
    if not rows:
        raise InvalidInput(
            f"suite {suite.name} has no expected figures for these cells (with other sizes or limits none hold); "
            "leave --check out, or add them to the file"
        )
    return rows


def _found(records: Sequence[Record]) -> tuple[float | None, str]:
    if not records:
        return None, "did not run"
    for record in records:
        if record.auroc is None:
            return None, record.error or "failed"
    return sum(record.auroc or 0.0 for record in records) / len(records), ""
