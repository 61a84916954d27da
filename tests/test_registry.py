"""Registries: names as text."""

import subprocess
import sys

import pytest

from oodkit.errors import MissingDependency, UnknownName
from oodkit.registry import Entry, Registry

COLOURS = Registry(
    "colour",
    {
        "red": Entry("collections:OrderedDict", "warm"),
        "green": Entry("collections:Counter", "calm", needs="grass", source="Newton, 1672"),
        "lost": Entry("no_such_package.module:Thing", "nowhere"),
    },
    group="oodkit.test.colours",
)


def test_it_is_a_mapping_of_names_in_order():
    """Looking imports nothing."""
    assert list(COLOURS) == ["green", "lost", "red"]
    assert COLOURS["green"].needs == "grass"
    assert "blue" not in COLOURS


def test_loading_imports_the_thing():
    """`load` gives what the entry points to."""
    from collections import Counter

    assert COLOURS.load("green") is Counter


def test_an_unknown_name_is_answered_with_the_nearest():
    """What was asked, what was probably meant, and how to see all."""
    with pytest.raises(UnknownName) as caught:
        COLOURS["Greenn"]
    assert str(caught.value) == "no colour named 'Greenn'; did you mean 'green'? `oodkit list colours` shows all 3"


def test_a_missing_package_is_named():
    """An optional dependency that is not installed is not a traceback."""
    with pytest.raises(MissingDependency, match="colour 'lost' needs the package 'no_such_package'"):
        COLOURS.load("lost")


def test_other_packages_add_names_by_entry_points(tmp_path, monkeypatch):
    """An installed distribution with an entry point in the group is found; built-in names win."""
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[oodkit.test.colours]\nblue = collections:deque\nred = os:path\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    fresh = Registry("colour", {"red": Entry("collections:OrderedDict", "warm")}, group="oodkit.test.colours")
    assert list(fresh) == ["blue", "red"]
    assert fresh["blue"].summary == "from plugin 1.0"
    assert fresh["blue"].package == "plugin 1.0"
    assert fresh["red"].target == "collections:OrderedDict"


def test_the_registries_import_nothing_heavy():
    """Scorers, views and backbones can be listed without torch, scikit-learn or NumPy."""
    code = (
        "import sys, oodkit.scorers, oodkit.views, oodkit.backbones.names; "
        "list(oodkit.scorers.scorers), list(oodkit.views.views); "
        "assert not {'torch', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
