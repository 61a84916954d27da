"""The registry of scorers, with families of names that other packages fill: `sklearn:NAME`, `pyod:NAME`."""

from collections.abc import Callable, Mapping
from typing import Any

from oodkit.errors import MissingDependency
from oodkit.registry import Entry, Registry


class ScorerRegistry(Registry):
    """A registry that also knows names of the form PREFIX:NAME; those are not listed one by one.

    Args:
        kind: as for `Registry`.
        entries: as for `Registry`.
        group: as for `Registry`.
        families: one entry per family, under the name "PREFIX:NAME"; each target is a function of NAME that returns
            what makes a scorer of its parameters.
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry], group: str, families: Mapping[str, Entry]) -> None:
        super().__init__(kind, entries, group)
        self.families = families
        self._by_prefix = {name.partition(":")[0]: entry for name, entry in families.items()}

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name or of its family; raises UnknownName with the nearest names."""
        return self._family(name) or super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        """Whether the name is registered, or of a family."""
        return super().__contains__(name) or (isinstance(name, str) and self._family(name) is not None)

    def load(self, name: str) -> Callable[..., Any]:
        """Import and return what makes the scorer: its class, or for a member of a family what stands for it.

        Raises:
            UnknownName: nothing is registered under this name, or its package has no such detector.
            MissingDependency: its module needs a package that is not installed.
        """
        family = self._family(name)
        if family is None:
            found: Callable[..., Any] = super().load(name)
            return found
        try:
            found = family.load()(name.partition(":")[2])
        except ModuleNotFoundError as error:
            raise MissingDependency(f"{self.kind} {name!r} needs the package {error.name!r}; install it") from error
        return found

    def _family(self, name: str) -> Entry | None:
        prefix, colon, _ = name.partition(":")
        return self._by_prefix.get(prefix) if colon else None
