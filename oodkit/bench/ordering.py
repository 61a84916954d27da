"""Records in the order of their suite, not of the alphabet."""

from collections.abc import Iterable, Sequence

from oodkit.bench.record import Record
from oodkit.bench.suite import Suite


def in_suite_order(records: Iterable[Record], suites: Sequence[Suite]) -> list[Record]:
    """Sort records as suites list pairs, backbones and scorers; what they do not list comes after, as it came.

    Args:
        records: of any suites.
        suites: in the order in which they are shown.
    """
    places = [suite.name for suite in suites]
    pairs = {suite.name: [(pair.in_, pair.out) for pair in suite.pairs] for suite in suites}
    backbones = {suite.name: [choice.name for choice in suite.backbones] for suite in suites}
    scorers = {suite.name: [choice.name for choice in suite.scorers] for suite in suites}

    def order(record: Record) -> tuple[int, ...]:
        name = record.suite
        return (
            _place(places, name),
            _place(pairs.get(name, ()), (record.in_, record.out)),
            _place(backbones.get(name, ()), record.backbone),
            _place(scorers.get(name, ()), record.scorer),
        )

    return sorted(records, key=order)


def _place(known: Sequence[object], one: object) -> int:
    return known.index(one) if one in known else len(known)
