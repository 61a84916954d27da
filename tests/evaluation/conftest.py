"""Images of few colours, and the small network that tells them apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oodkit.backbones import Backbone, load_backbone
from tests.painting import paint


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`in/SPLIT/{green,red}`, `out/{blue,grey}`, and without classes `flat` and `flat_out`, of 12 images each."""
    root = tmp_path_factory.mktemp("painted")
    for seed, colour in enumerate(("green", "red")):
        paint(root / "in" / "train" / colour, colour, 12, seed)
        paint(root / "in" / "test" / colour, colour, 12, 10 + seed)
    for seed, colour in enumerate(("blue", "grey")):
        paint(root / "out" / colour, colour, 12, 20 + seed)
    paint(root / "flat", "red", 12, 30)
    paint(root / "flat_out", "blue", 12, 31)
    paint(root / "one" / "red", "red", 12, 32)
    return root


@pytest.fixture
def towers() -> str:
    """`module:FILE` of the small networks, to be followed by `:FACTORY`."""
    return f"module:{Path(__file__).with_name('towers.py')}"


@pytest.fixture
def network(towers: str) -> Callable[[str], Backbone]:
    """`network(factory)`: a small network as a backbone on the CPU."""
    return lambda factory: load_backbone(f"{towers}:{factory}", device="cpu")
