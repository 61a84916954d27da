"""What configurations are called: a scorer by its parameters, a backbone by what tells it from its others."""

from collections.abc import Callable, Iterable, Mapping
from inspect import signature

from oodkit.bench.record import Record

# What one backbone can be run with, and how a label says it.
_SETTINGS: tuple[Callable[[Record], str], ...] = (
    lambda record: f"{record.image_size} px",
    lambda record: record.precision,
    lambda record: f"head {record.provenance.get('head_asked') or 'as it comes'}",
    lambda record: f"view {record.view}",
    lambda record: f"limit {record.provenance['limit']:,}" if record.provenance.get("limit") else "no limit",
)


def scorer_label(record: Record) -> str:
    """The scorer's name, with those parameters that are not the default ones."""
    from oodkit.scorers import scorers

    given = {name: value for name, value in record.params.items() if name != "seed"}
    try:
        usual = signature(scorers.load(record.scorer)).parameters
    except Exception:  # of a package that is not installed here: all parameters are shown
        changed = given
    else:
        changed = {name: value for name, value in given.items() if name in usual and value != usual[name].default}
    return record.scorer + (f"({', '.join(f'{name}={value}' for name, value in changed.items())})" if changed else "")


class BackboneLabels:
    """Names of backbones; one that was run with several settings is called by these too.

    Args:
        records: all that are shown together.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        found: dict[str, list[set[str]]] = {}
        for record in records:
            kinds = found.setdefault(record.backbone, [set() for _ in _SETTINGS])
            for kind, setting in zip(kinds, _SETTINGS, strict=True):
                kind.add(setting(record))
        self._differing: Mapping[str, tuple[Callable[[Record], str], ...]] = {
            backbone: tuple(s for kind, s in zip(kinds, _SETTINGS, strict=True) if len(kind) > 1)
            for backbone, kinds in found.items()
        }

    def of(self, record: Record) -> str:
        """What the record's backbone is called."""
        return ", ".join([record.backbone, *(setting(record) for setting in self._differing[record.backbone])])
