"""Rules about imports that hold for whatever is registered, beside the contract in pyproject.toml."""

import re
import tomllib
from pathlib import Path

import grimp
import pytest

import oodkit.attacks
import oodkit.scorers
import oodkit.views

ROOT = Path(__file__).parents[1]
GRAPH = grimp.build_graph("oodkit", cache_dir=None)


@pytest.mark.parametrize(
    "registry", [oodkit.attacks.attacks, oodkit.scorers.scorers, oodkit.views.views], ids=lambda registry: registry.kind
)
def test_members_do_not_import_each_other(registry):
    """No module of the package imports a registered one; what members share lives in a module per noun."""
    package = registry.group
    for name, entry in registry.items():
        module = entry.target.partition(":")[0]
        if not module.startswith(f"{package}."):
            continue  # of somebody else's package
        importers = {m for m in GRAPH.find_modules_that_directly_import(module) if m.startswith(f"{package}.")}
        assert not importers, f"{name} is imported by {importers}"


def test_the_architecture_page_shows_the_contract():
    """The table of layers has the packages of the contract, line by line."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    shown: list[set[str]] = []
    for line, package in re.findall(r"^\| *(\d*) *\| `(\w+)` \|", page, re.MULTILINE):
        if line:
            shown.append(set())
        shown[-1].add(package)

    assert shown == [set(layer.split(" | ")) for layer in layers]
