import pytest

from oodkit.errors import MissingDependency, UnknownName
from oodkit.registry import Entry
from oodkit.scorers import scorers
from oodkit.scorers.families import ScorerRegistry

OWN = Entry("math:pi", summary="a number")
FAMILY = Entry("importlib.util:find_spec", summary="modules by name")


def registry() -> ScorerRegistry:
    return ScorerRegistry("thing", {"own": OWN}, group="none", families={"mod:NAME": FAMILY})


def test_names_of_a_family_are_known_and_not_listed() -> None:
    """PREFIX:NAME has the entry of its family; iteration and length are those of the names that can be listed."""
    things = registry()

    assert things["mod:math"] is FAMILY
    assert "mod:math" in things
    assert "mad:math" not in things
    assert "mod" not in things
    assert list(things) == ["own"]
    assert list(things.families) == ["mod:NAME"]


def test_load_calls_the_family_with_the_name() -> None:
    """The target of a family is a function of what stands behind the colon; other names load as ever."""
    things = registry()

    assert things.load("mod:math").name == "math"
    assert things.load("own") == pytest.approx(3.14159, abs=1e-5)
    with pytest.raises(UnknownName, match="no thing named 'mod'"):
        things.load("mod")
    with pytest.raises(MissingDependency, match=r"^thing 'mod:no_such.part' needs the package 'no_such'; install it$"):
        things.load("mod:no_such.part")


def test_registered_families() -> None:
    """scikit-learn and PyOD have a line each in listings."""
    assert list(scorers.families) == ["sklearn:NAME", "pyod:NAME"]
    assert not any(":" in name for name in scorers)
