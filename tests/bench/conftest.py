"""A suite over images of few colours, and the small network that tells them apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oodkit.bench.options import Options
from oodkit.bench.results import Results
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice, Suite
from tests.painting import paint

TOWERS = f"module:{Path(__file__).parents[1] / 'evaluation' / 'towers.py'}"


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root: `warm/SPLIT/{red,green}`, and `cold/{blue,grey}` and `plain/grey` without splits."""
    root = tmp_path_factory.mktemp("painted")
    for seed, colour in enumerate(("red", "green")):
        paint(root / "warm" / "train" / colour, colour, 12, seed)
        paint(root / "warm" / "test" / colour, colour, 12, 10 + seed)
    for seed, colour in enumerate(("blue", "grey")):
        paint(root / "cold" / colour, colour, 12, 20 + seed)
    paint(root / "plain" / "grey", "grey", 12, 30)
    return root


@pytest.fixture
def options(painted: Path, tmp_path: Path) -> Options:
    """The painted data root and an empty store."""
    return Options(data_root=painted, cache=tmp_path / "cache", device="cpu")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Results in a new folder."""
    return Results(tmp_path / "results")


@pytest.fixture
def make_suite() -> Callable[..., Suite]:
    """`make_suite(**changes)`: warm against cold and plain, two scorers, one seed."""
    suite = Suite(
        name="colours",
        title="Colours",
        about="",
        pairs=(Pair("warm", "cold"), Pair("warm", "plain")),
        backbones=(BackboneChoice(f"{TOWERS}:two_classes"),),
        scorers=(ScorerChoice("knn", where="a file, line 1"), ScorerChoice("msp", where="a file, line 2")),
    )

    def changed(**changes: Any) -> Suite:
        return replace(suite, **changes)

    return changed
