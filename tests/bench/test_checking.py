"""Expected figures: each is reproduced, missed, or did not run."""

import pytest

from oodkit.bench.checking import Comparison, check
from oodkit.bench.planning import make_plan
from oodkit.bench.record import Expected
from oodkit.bench.running import run_plan
from oodkit.bench.suite import ExpectedFigure, Pair, ScorerChoice
from oodkit.errors import InvalidInput
from oodkit.scorers import KNN
from tests.bench.conftest import TOWERS

BACKBONE = f"{TOWERS}:two_classes"


@pytest.mark.parametrize(
    ("found", "holds"), [(0.75, True), (0.76, True), (0.74, True), (0.7601, False), (0.5, False), (None, False)]
)
def test_a_figure_holds_within_its_tolerance(found, holds):
    """Off by just the tolerance still holds; none found never does."""
    assert Comparison(("a", "b", "c", "d"), 0.75, 0.01, found).holds is holds


@pytest.fixture
def checked(make_suite, options, results):
    """`checked(expected)`: comparisons after a run of the suite."""

    def run(value, tolerance=0.001, **changes):
        figure = ExpectedFigure(Expected(value, tolerance), "warm", "cold", BACKBONE, "knn")
        plan = make_plan(make_suite(expected=(figure,), **changes), options, results, trial=False)
        return check(plan, run_plan(plan, results).records)

    return run


def test_what_was_found_is_compared(checked):
    """With the mean over seeds; the difference is found minus expected."""
    (row,) = checked(0.5)
    assert row.found is not None
    assert not row.holds
    assert row.difference == row.found - 0.5
    (row,) = checked(row.found)
    assert row.holds


def test_a_scorer_that_was_broken_is_a_miss(checked, monkeypatch):
    """The fault changes the figure, and the figure is not taken from an earlier run."""
    (row,) = checked(0.5)
    sound = row.found
    score = KNN._score
    monkeypatch.setattr(KNN, "_score", lambda self, x: -score(self, x))
    monkeypatch.setattr("oodkit.bench.keys.scorer_digest", lambda kind: "the broken file")
    (row,) = checked(sound)
    assert not row.holds
    assert row.found == pytest.approx(1 - sound)


def test_a_cell_that_failed_is_a_miss_with_its_reason(checked, monkeypatch):
    """So is one that did not run."""
    monkeypatch.setattr(KNN, "_fit", lambda self, train: 1 / 0)
    (row,) = checked(0.5)
    assert (row.found, row.holds) == (None, False)
    assert "ZeroDivisionError" in row.reason


def test_a_missing_set_is_a_miss(make_suite, options, results):
    """What is expected of it did not run."""
    figure = ExpectedFigure(Expected(0.5, 0.1), "warm", "svhn", BACKBONE, "knn")
    suite = make_suite(pairs=(Pair("warm", "cold"), Pair("warm", "svhn")), expected=(figure,))
    plan = make_plan(suite, options, results, trial=False)
    (row,) = check(plan, run_plan(plan, results).records)
    assert (row.holds, row.reason) == (False, "did not run")


def test_nothing_expected_is_an_error(checked):
    """A check that compares nothing must not pass."""
    with pytest.raises(InvalidInput, match="no expected figures"):
        checked(0.5, scorers=(ScorerChoice("msp"),))
