"""TOML tables taken apart key by key, with messages that name the file and the key."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from oodkit.errors import InvalidInput, nearest_names

_REQUIRED = object()


class Table(Mapping[str, Any]):
    """A TOML table that is taken apart key by key; `close` reports what nobody asked for."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self._content, self._where = content, where
        self._asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """A text that is not empty."""
        value = self._take(key, default)
        if value is not default and (not isinstance(value, str) or not value.strip()):
            raise self.wrong(key, f"must be a text, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, f"must be a list of texts, not {value!r}")
        return tuple(value)

    def count(self, key: str) -> int | None:
        """A whole number above 0, or None where the key is missing."""
        return None if key not in self else self.required_count(key)

    def required_count(self, key: str) -> int:
        """A whole number above 0."""
        value = self._take(key, _REQUIRED)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(key, f"must be a whole number above 0, not {value!r}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of some texts, or None where the key is missing."""
        value: str | None = self.text(key, default=None)
        if value is not None and value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(sorted(allowed))}, not {value!r}")
        return value

    def table(self, key: str) -> "Table":
        """A table inside this one, empty where the key is missing."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table, not {value!r}")
        return Table(value, f"{self._where}: {key}")

    def tables(self, key: str) -> list["Table"]:
        """A list of tables, empty where the key is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"must be a list of tables, not {value!r}")
        return [Table(item, f"{self._where}: {key}[{i}]") for i, item in enumerate(value)]

    def all_texts(self) -> Mapping[str, str]:
        """Every key, each with a text."""
        return MappingProxyType({key: self.text(key) for key in self})

    def all(self) -> Mapping[str, Any]:
        """Every key with its value, whatever it is."""
        return MappingProxyType({key: self._take(key, _REQUIRED) for key in self})

    def close(self) -> None:
        """Report a key that nobody asked for."""
        for key in self:
            if key not in self._asked:
                near = nearest_names(key, self._asked, count=1)
                raise InvalidInput(
                    f"{self._where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )

    def wrong(self, key: str, why: str) -> InvalidInput:
        """The error for a key's value."""
        return InvalidInput(f"{self._where}: {key} {why}")

    def _take(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self._content.get(key, default)
        if value is _REQUIRED:
            raise self.wrong(key, "is missing")
        return value
