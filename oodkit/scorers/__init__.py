"""Scorers: in-distribution features in, scores out; higher means more in-distribution.

`scorers` is the registry; looking at it, or importing this package, imports neither torch nor scikit-learn.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oodkit.errors import InvalidInput
from oodkit.registry import Registry
from oodkit.scorers.entries import ENTRIES

if TYPE_CHECKING:
    from oodkit.scorers.base import Head, Need, NotFitted, Scorer, Train
    from oodkit.scorers.knn import KNN
    from oodkit.scorers.mahalanobis import Mahalanobis
    from oodkit.scorers.relative_mahalanobis import RelativeMahalanobis

__all__ = [
    "KNN",
    "Head",
    "Mahalanobis",
    "Need",
    "NotFitted",
    "RelativeMahalanobis",
    "Scorer",
    "Train",
    "create",
    "load",
    "parse_params",
    "scorers",
]

_LAZY = {name: f"oodkit.scorers.base:{name}" for name in ("Head", "Need", "NotFitted", "Scorer", "Train")} | {
    entry.target.partition(":")[2]: entry.target for entry in ENTRIES.values()
}

scorers = Registry("scorer", ENTRIES, group="oodkit.scorers")


def create(name: str, **params: Any) -> "Scorer":
    """A scorer by its registry name, not fitted.

    Args:
        name: such as "knn"; `scorers` lists all.
        **params: its parameters, such as `k=5`.

    Raises:
        UnknownName: no such scorer; the message has the nearest names.
        InvalidInput: it has no such parameter; likewise.
    """
    from oodkit.scorers.parameters import check_names

    cls = scorers.load(name)
    check_names(name, cls, params)
    scorer: Scorer = cls(**params)
    return scorer


def parse_params(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Parameters typed as text in the types that the scorer declares, ready for `create`.

    Args:
        name: registry name of the scorer.
        texts: parameter names to text, such as `{"k": "5"}` or `{"normalize": "true"}`.

    Raises:
        UnknownName: no such scorer.
        InvalidInput: no such parameter, or text that is not of its type.
    """
    from oodkit.scorers.parameters import parse

    return parse(name, scorers.load(name), texts)


def load(folder: str | Path) -> "Scorer":
    """Read whatever registered scorer was saved in a folder.

    Only registered classes are imported, whatever the file says.

    Raises:
        DataNotFound: no scorer was saved in the folder.
        InvalidInput: damaged files, or a scorer that is not registered here.
    """
    from oodkit.scorers.saving import read_description

    kind = read_description(Path(folder))["scorer"]
    for name, entry in scorers.items():
        if entry.target == kind:
            scorer: Scorer = scorers.load(name).load(folder)
            return scorer
    raise InvalidInput(f"{folder} holds a {kind}, which is not registered; install its package or use its own load()")


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
