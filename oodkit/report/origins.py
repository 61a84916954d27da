"""Where the figures of many records come from: what all of them share, and what differs."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oodkit.bench.record import Record

_CELL_OPTIONS = ("--pair", "--backbone", "--scorer")
_ELSEWHERE = ("about", "command")  # stand in other places of a report


@dataclass(frozen=True)
class Origins:
    """Provenance of several records.

    Attributes:
        shared: name and value of what is the same in all of them.
        differing: name, and each value with the number of records that have it.
    """

    shared: tuple[tuple[str, str], ...]
    differing: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


def origins(records: Iterable[Record]) -> Origins:
    """Gather provenance over records, in the order in which names first appear."""
    counts: dict[str, Counter[str]] = {}
    total = 0
    for record in records:
        total += 1
        for name, value in flat({name: value for name, value in record.provenance.items() if name not in _ELSEWHERE}):
            counts.setdefault(name, Counter())[value] += 1
    shared = [(name, next(iter(found))) for name, found in counts.items() if list(found.values()) == [total]]
    names = {name for name, _ in shared}
    differing = [(name, tuple(found.most_common())) for name, found in counts.items() if name not in names]
    return Origins(tuple(shared), tuple(differing))


def flat(given: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of a nested mapping, names joined by blanks; None is left out."""
    for name, value in given.items():
        whole = f"{above} {name}".strip()
        if isinstance(value, Mapping):
            yield from flat(value, whole)
        elif value is not None:
            yield whole, value if isinstance(value, str) else json.dumps(value, default=str)


def suite_commands(records: Iterable[Record]) -> list[str]:
    """What to type to run each suite again; the command of a single cell is in its provenance."""
    found: dict[str, set[str]] = {}
    for record in records:
        command = record.provenance.get("command")
        if isinstance(command, str):
            found.setdefault(record.suite, set()).add(_of_suite(command))
    return [
        next(iter(commands)) if len(commands) == 1 else _shared(suite, commands) for suite, commands in found.items()
    ]


def _shared(suite: str, commands: Iterable[str]) -> str:
    """The suite's own settings, where its cells were run with different ones; the last file that it was read from."""
    known = [_words(command) for command in sorted(commands)]
    files = [words[words.index("--file") + 1] for words in known if "--file" in words[:-1]]
    return shlex.join(["oodkit", "bench", *(["--file", files[-1]] if files else []), "--suite", suite])


def _of_suite(command: str) -> str:
    """A cell's command without what chooses the cell."""
    words = _words(command)
    if not words:
        return command
    kept = []
    while words:
        word = words.pop(0)
        if word in _CELL_OPTIONS:
            del words[:1]
        else:
            kept.append(word)
    return shlex.join(kept)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an odd quote: it was not made by us
        return []
