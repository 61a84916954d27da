"""A cell of a benchmark, and the key that its contents give it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from inspect import getsourcefile
from pathlib import Path
from typing import Any

from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice

# Packages whose code decides what a cell gives once images are embedded.
_DECIDING = ("clustering", "evaluation", "heads", "metrics", "scorers")
_KEY_VERSION = 1


@dataclass(frozen=True)
class Cell:
    """One scorer on one pair with one backbone and one seed.

    Attributes:
        pair: in- and out-set.
        backbone: as the suite asks for it.
        scorer: as the suite asks for it.
        seed: of halves, limits and what the scorer draws.
        key: of its contents; None while the images' digests are not known.
    """

    pair: Pair
    backbone: BackboneChoice
    scorer: ScorerChoice
    seed: int
    key: str | None = None


def cell_key(contents: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over what decides a cell's result; names of sets, suites and backbones play no part.

    Args:
        contents: digests of weights and images, scorer, parameters and settings, ready for JSON.
    """
    text = json.dumps({"version": _KEY_VERSION, **contents}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_digest() -> str:
    """SHA-256 (hex) over oodkit's own code that decides what a cell gives: a changed scorer is run again."""
    root = Path(__file__).parents[1]
    whole = hashlib.sha256()
    for package in _DECIDING:
        for file in sorted((root / package).rglob("*.py")):
            whole.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()


@cache
def scorer_digest(kind: type) -> str:
    """SHA-256 (hex) over the file of a scorer of another package; that of oodkit's own code for its own."""
    if (kind.__module__ or "").partition(".")[0] == "oodkit" or find_spec(kind.__module__) is None:
        return code_digest()
    file = getsourcefile(kind)
    return code_digest() + (hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else "")
