"""YAML as typed values that know their line: what is wrong in a file is said with file, line and nearest key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from oodkit.errors import DataNotFound, InvalidInput, nearest_names


class Marked:
    """A value of a YAML file and where it stands.

    Args:
        node: as the parser composed it.
        file: for messages.
        what: what the value is, in words, such as "suite 'demo'".
    """

    def __init__(self, node: yaml.Node, file: Path, what: str) -> None:
        self._node, self.file, self.what = node, file, what
        self.line = node.start_mark.line + 1

    def error(self, message: str) -> InvalidInput:
        """The error that something is wrong here, with file and line."""
        return InvalidInput(f"{self.file}, line {self.line}: {message}")

    def section(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> "dict[str, Marked]":
        """A mapping with known keys.

        Raises:
            InvalidInput: it is none, a required key is missing, or a key is unknown or there twice.
        """
        found = self.mapping()
        known = (*required, *optional)
        for name, value in found.items():
            if name not in known:
                near = nearest_names(name, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise InvalidInput(f"{self.file}, line {value.key_line}: no key {name!r} in {self.what}; {hint}")
        for name in required:
            if name not in found:
                raise self.error(f"{self.what} has no key {name!r}; add it")
        return found

    def mapping(self) -> "dict[str, Marked]":
        """A mapping from names to values."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error(f"{self.what} must be a mapping, as in `key: value`")
        found: dict[str, Marked] = {}
        for key, value in self._node.value:
            name = str(_plain(key))
            marked = Marked(value, self.file, f"{name!r} of {self.what}")
            marked.key_line = key.start_mark.line + 1
            if name in found:
                raise InvalidInput(f"{self.file}, line {marked.key_line}: {name!r} stands twice in {self.what}")
            found[name] = marked
        return found

    key_line: int = 0

    @property
    def is_text(self) -> bool:
        """Whether it is a single value and not a list or mapping."""
        return isinstance(self._node, yaml.ScalarNode)

    def items(self) -> "Iterator[Marked]":
        """The entries of a list; a single value is a list of one."""
        if isinstance(self._node, yaml.MappingNode):
            raise self.error(f"{self.what} must be a list, as in `[a, b]`")
        nodes = self._node.value if isinstance(self._node, yaml.SequenceNode) else [self._node]
        if not nodes:
            raise self.error(f"{self.what} is empty; name at least one")
        for node in nodes:
            yield Marked(node, self.file, f"an entry of {self.what}")

    def text(self) -> str:
        """Text; numbers are taken as they are written."""
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag == "tag:yaml.org,2002:null":
            raise self.error(f"{self.what} must be text")
        return str(self._node.value)

    def texts(self) -> tuple[str, ...]:
        """Several texts, or one."""
        return tuple(item.text() for item in self.items())

    def choice(self, known: tuple[str, ...]) -> str:
        """One of some words."""
        word = self.text()
        if word not in known:
            near = nearest_names(word, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
            raise self.error(f"{self.what} cannot be {word!r}; {hint}")
        return word

    def whole(self, least: int) -> int:
        """A whole number of at least `least`."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.error(f"{self.what} must be a whole number of at least {least}, got {value!r}")
        return value

    def fraction(self) -> float:
        """A number from 0 to 1."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.error(f"{self.what} must be a fraction from 0 to 1, not per cent; got {value!r}")
        return float(value)

    def plain(self) -> Any:
        """The value as plain Python: text, numbers, lists and mappings."""
        try:
            return _plain(self._node)
        except yaml.YAMLError as error:
            raise self.error(f"{self.what} cannot be read: {_reason(error)}") from error


def read_marked_yaml(file: Path) -> Marked:
    """The content of a YAML file.

    Raises:
        DataNotFound: there is no such file.
        InvalidInput: it is no YAML, with the line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise DataNotFound(f"cannot read {file}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not text in UTF-8: {error.reason}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise InvalidInput(f"{file}{where}: not YAML: {_reason(error)}") from error
    if node is None:
        raise InvalidInput(f"{file} is empty; it needs a mapping `suites:`")
    return Marked(node, file, "the file")


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _reason(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or " ".join(str(error).split()))
