"""Expected figures against those that were found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oodkit.bench.planning import Plan
from oodkit.bench.record import Record
from oodkit.bench.suite import ExpectedFigure, Suite
from oodkit.errors import InvalidInput


@dataclass(frozen=True)
class Comparison:
    """One expected figure.

    Attributes:
        name: in-set, out-set, backbone and scorer.
        expected: AUROC as a fraction.
        tolerance: how far it may be off.
        found: mean over seeds; None where the cell failed, did not run, or lacks seeds.
        reason: why there is none.
        counts: whether it is reproduced or missed; not where other processes run some of its seeds.
        settings: `image_size`, `precision` and `head` of the backbone and `params` of the scorer.
    """

    name: tuple[str, str, str, str]
    expected: float
    tolerance: float
    found: float | None
    reason: str = ""
    counts: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def difference(self) -> float | None:
        """Found minus expected; None where nothing was found."""
        return None if self.found is None else self.found - self.expected

    @property
    def holds(self) -> bool:
        """Whether the figure is reproduced; one that is off by the tolerance to the last digit is."""
        return self.difference is not None and abs(self.difference) <= self.tolerance + 1e-12

    @property
    def missed(self) -> bool:
        """Whether it counts and is not reproduced."""
        return self.counts and not self.holds


def check(plan: Plan, records: Sequence[Record]) -> list[Comparison]:
    """Compare every expected figure of the plan's pairs, backbones and scorers.

    Args:
        plan: that was run.
        records: of its cells, in their order; none before it is run.

    Returns:
        One for each figure that this process has cells of; none where other processes run them all.

    Raises:
        InvalidInput: none is expected.
    """
    figures = list(_wanted(plan.suite))
    if not figures:
        raise InvalidInput(
            f"suite {plan.suite.name} has no expected figures for these cells (with other sizes or limits none hold); "
            "leave --check out, or add them to the file"
        )
    ran = list(zip(plan.cells, records, strict=True)) if records else []
    rows = []
    for figure in figures:
        own = [record for cell, record in ran if figure.is_of(cell.pair, cell.backbone, cell.scorer)]
        others = any(figure.is_of(cell.pair, cell.backbone, cell.scorer) for cell in plan.elsewhere)
        if own or not others:
            rows.append(_compared(figure, own, others))
    return rows


def _wanted(suite: Suite) -> Iterator[ExpectedFigure]:
    """Figures of what the suite runs, which may be less than its file has."""
    for figure in suite.expected:
        if any(
            figure.is_of(pair, backbone, scorer)
            for pair in suite.pairs
            for backbone in suite.backbones
            for scorer in suite.choices_of(figure.scorer)
        ):
            yield figure


def _compared(figure: ExpectedFigure, records: Sequence[Record], others: bool) -> Comparison:
    failed = [record.error or "failed" for record in records if record.auroc is None]
    areas = [record.auroc for record in records if record.auroc is not None]
    found, reason = None, ""
    if failed:
        reason = failed[0]
    elif others:
        reason = "not all seeds here"
    elif not areas:
        reason = "did not run"
    else:
        found = sum(areas) / len(areas)
    return Comparison(
        (figure.in_, figure.out, figure.backbone, figure.scorer),
        figure.expected.value,
        figure.expected.tolerance,
        found,
        reason,
        counts=bool(failed) or not others,
        settings={
            "image_size": figure.image_size,
            "precision": figure.precision,
            "head": figure.head,
            "params": dict(figure.params),
        },
    )
