"""Word lists: WordNet's nouns and adjectives, which the package ships, or a file of the user's own."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from oodkit.errors import DataNotFound, InvalidInput

KINDS = ("noun", "adj")


@dataclass(frozen=True)
class Words:
    """Different words, and of what kind each is.

    Attributes:
        words: the words; several parts are divided by spaces.
        kinds: "noun", "adj" or "" for unknown, one per word.
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.words)

    def without(self, names: Iterable[str]) -> "Words":
        """The words that are none of the names, whatever their case, underscores as spaces."""
        names = {_plain(name) for name in names}
        kept = [pair for pair in zip(self.words, self.kinds, strict=True) if _plain(pair[0]) not in names]
        return _words(kept)


@cache
def wordnet_words() -> Words:
    """The first word of every noun and adjective concept of WordNet 3.0; its licence lies beside the list."""
    packed = files("oodkit.data").joinpath("word_lists", "wordnet.tsv.gz").read_bytes()
    return _words(_parse(gzip.decompress(packed).decode().splitlines(), "the list of WordNet"))


def read_words(file: str | Path) -> Words:
    """Words of a UTF-8 file: one per line, if wanted with `noun` or `adj` after a tab or a comma.

    Empty lines and those that begin with # are left out, and so is a word that stood there before.

    Raises:
        DataNotFound: no such file, or no words in it.
        InvalidInput: the file is not text, or something else than a kind stands after a tab.
    """
    words = _words(_parse(_all_lines(file), str(file)))
    if not len(words):
        raise DataNotFound(f"the file {file} is empty; write one word per line")
    return words


def read_lines(file: str | Path) -> list[str]:
    """Lines of a UTF-8 file, such as class names or captions; empty lines and those that begin with # are left out.

    Raises:
        DataNotFound: no such file, or nothing in it.
        InvalidInput: the file is not text.
    """
    lines = [line.strip() for line in _all_lines(file) if _counts(line)]
    if not lines:
        raise DataNotFound(f"the file {file} is empty; write one name or text per line")
    return lines


def _all_lines(file: str | Path) -> list[str]:
    path = Path(file).expanduser()
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataNotFound(f"the file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the file {path} is not UTF-8 text; save it as that") from error


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _parse(lines: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        if not _counts(line):
            continue
        word, tab, kind = line.partition("\t")
        if not tab:
            before, _, last = line.rpartition(",")
            word, kind = (before, last) if last.strip() in KINDS else (line, "")
        kind = kind.strip()
        if kind not in (*KINDS, "") or not word.strip():
            raise InvalidInput(f"line {number} of {name} is {line!r}; write WORD, or WORD, a tab and noun or adj")
        yield word.strip(), kind


def _words(pairs: Iterable[tuple[str, str]]) -> Words:
    kinds: dict[str, str] = {}
    for word, kind in pairs:
        kinds.setdefault(word, kind)
    return Words(tuple(kinds), tuple(kinds.values()))


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
