"""Expected figures: each is reproduced, missed, or did not run."""

from dataclasses import replace

import pytest

from oodkit.bench.checking import Comparison, check
from oodkit.bench.planning import make_plan
from oodkit.bench.record import Expected
from oodkit.bench.running import run_plan
from oodkit.bench.suite import BackboneChoice, ExpectedFigure, Pair, ScorerChoice
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


def test_a_figure_whose_seeds_are_not_all_there_is_not_compared(make_suite, options, results):
    """A part of the seeds has another mean; together all figures are compared, and what is right holds."""
    suite = make_suite(seeds=(0, 1, 2), limit=16)
    plan = make_plan(suite, options, results, trial=False)
    found = [r.auroc for r in run_plan(plan, results).records if (r.scorer, r.out) == ("knn", "cold")]
    assert len(found) == 3
    whole = replace(suite, expected=(ExpectedFigure(Expected(sum(found) / 3, 0.0), "warm", "cold", BACKBONE, "knn"),))
    part = make_plan(whole, replace(options, shard=(1, 3)), results, trial=False)
    (row,) = check(part, run_plan(part, results).records)
    assert (row.found, row.reason, row.counts, row.missed) == (None, "not all seeds here", False, False)
    plan = make_plan(whole, options, results, trial=False)
    (row,) = check(plan, run_plan(plan, results).records)
    assert (row.holds, row.counts) == (True, True)


def test_a_part_without_any_cell_of_a_figure_has_nothing_to_compare(make_suite, options, results):
    """It is no error: another part has them."""
    suite = make_suite(expected=(ExpectedFigure(Expected(0.5, 0.1), "warm", "cold", BACKBONE, "knn"),))
    plan = make_plan(suite, replace(options, shard=(2, 2)), results, trial=False)
    assert check(plan, ()) == check(plan, run_plan(plan, results).records) == []


def test_configurations_are_not_averaged(make_suite, options, results):
    """Each parameter and image size of a scorer and a backbone has a figure of its own."""
    scorers = tuple(ScorerChoice("pca", {"components": n}, where="a file") for n in (1, 2))
    suite = make_suite(scorers=scorers, backbones=(BackboneChoice(BACKBONE), BackboneChoice(BACKBONE, image_size=8)))
    plan = make_plan(suite, options, results, trial=False)
    found = {
        (cell.backbone.image_size, cell.scorer.params["components"]): record.auroc
        for cell, record in zip(plan.cells, run_plan(plan, results).records, strict=True)
        if cell.pair.out == "cold"
    }
    figures = tuple(
        ExpectedFigure(
            Expected(0.5, 0.1), "warm", "cold", BACKBONE, "pca", image_size=size, params={"components": components}
        )
        for size, components in found
    )
    plan = make_plan(replace(suite, expected=figures), options, results, trial=False)
    rows = check(plan, run_plan(plan, results).records)
    assert len(rows) == 4
    assert {(r.settings["image_size"], r.settings["params"]["components"]): r.found for r in rows} == found


def test_nothing_expected_is_an_error(checked):
    """A check that compares nothing must not pass."""
    with pytest.raises(InvalidInput, match="no expected figures"):
        checked(0.5, scorers=(ScorerChoice("msp"),))
