"""Make oodkit/data/word_lists/wordnet.tsv.gz from WordNet's database files.

    python tools/wordnet_words.py DICT

DICT is the folder with `data.noun` and `data.adj` of WordNet 3.0, such as /usr/share/wordnet of Debian's package
`wordnet-base`. Every line of these is a concept; its first word is taken, with spaces for underscores and without the
marks of an adjective's place, such as "(p)". A word that is both stays a noun. The order is that of the concepts. The
same files give the same bytes.
"""

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parents[1] / "oodkit" / "data" / "word_lists" / "wordnet.tsv.gz"


def main(folder: Path) -> None:
    """Write the list."""
    kinds: dict[str, str] = {}
    for kind in ("noun", "adj"):
        for word in concepts(folder / f"data.{kind}"):
            kinds.setdefault(word, kind)
    lines = "".join(f"{word}\t{kind}\n" for word, kind in kinds.items())
    TARGET.write_bytes(gzip.compress(lines.encode(), compresslevel=9, mtime=0))


def concepts(file: Path) -> Iterator[str]:
    """The first word of each concept of a WordNet data file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("  "):  # the licence
            word = line.split(" ")[4]
            yield re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
