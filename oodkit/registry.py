"""Names to things, as text: looking at a registry imports nothing but the standard library."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from oodkit.errors import MissingDependency, unknown_name


@dataclass(frozen=True)
class Entry:
    """One registered thing.

    Attributes:
        target: where it is, as "package.module:attribute".
        summary: one line for listings.
        needs: what it needs besides features or images, such as "labels"; empty for nothing.
        source: paper or origin.
        cost: what preparing it costs besides reading the data, such as "one pass"; empty where that is no question.
        package: name and version of the package that registered it; empty for oodkit itself.
    """

    target: str
    summary: str
    needs: str = ""
    source: str = ""
    cost: str = ""
    package: str = ""

    def load(self) -> Any:
        """Import the module and return the attribute."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


class Registry(Mapping[str, Entry]):
    """A read-only mapping of names to entries, extended by other packages through entry points.

    Args:
        kind: what is registered, in the singular, as messages name it ("scorer").
        entries: the built-in names. They win over entry points of the same name.
        group: entry-point group of third parties, such as "oodkit.scorers".
    """

    def __init__(self, kind: str, entries: Mapping[str, Entry], group: str) -> None:
        self.kind = kind
        self.group = group
        self._builtin = dict(entries)

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        found = {}
        for point in entry_points(group=self.group):
            package = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown package"
            found[point.name] = Entry(point.value, summary=f"from {package}", package=package)
        return {**found, **self._builtin}

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name; raises UnknownName with the nearest names."""
        try:
            return self._entries[name]
        except KeyError:
            raise unknown_name(self.kind, name, self._entries, f"oodkit list {self.kind}s") from None

    def __contains__(self, name: object) -> bool:
        """Whether the name is registered."""
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """Names in alphabetical order."""
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._entries)

    def load(self, name: str) -> Any:
        """Import and return the thing behind a name.

        Raises:
            UnknownName: nothing is registered under this name.
            MissingDependency: its module needs a package that is not installed.
        """
        entry = self[name]
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            raise MissingDependency(f"{self.kind} {name!r} needs the package {error.name!r}; install it") from error
