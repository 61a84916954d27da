"""Records are joined over seeds, and called so that no two cells of a place have one name."""

import pytest

from oodkit.report.cells import make_cells
from tests.report.make import record


def test_seeds_are_joined_and_the_figure_is_their_mean():
    """Two seeds are one cell; its interval is Student's: mean 0.85, t(0.975, 1) = 12.706, s / sqrt(2) = 0.01."""
    (cell,) = make_cells([record(seed=i, scorer="own", params={"seed": i}, auroc=x) for i, x in ((1, 0.86), (0, 0.84))])

    assert cell.value("auroc") == pytest.approx(0.85)
    assert cell.interval == pytest.approx((0.85 - 0.12706, 0.85 + 0.12706), abs=1e-4)
    assert [one.seed for one in cell.records] == [0, 1]
    assert cell.label == "own"


def test_one_seed_keeps_its_own_interval():
    """The interval of a single record is that of its images."""
    (cell,) = make_cells([record(auroc_ci=(0.8, 0.95))])

    assert cell.interval == (0.8, 0.95)


def test_a_failed_seed_does_not_count_but_is_told():
    """The mean is over seeds that have a figure; the error stays."""
    (cell,) = make_cells([record(seed=0, error="out of memory"), record(seed=1, auroc=0.7)])

    assert cell.value("auroc") == 0.7
    assert cell.errors == ("out of memory",)
    assert cell.first.seed == 1


def test_a_cell_that_failed_has_no_figures():
    """None, and no interval."""
    (cell,) = make_cells([record(error="no")])

    assert (cell.value("auroc"), cell.interval) == (None, None)


def test_a_label_names_parameters_that_are_not_defaults():
    """k = 1 is the default of knn and is not said; k = 5 is; an unknown scorer's are all said."""
    given = [record(params={"k": 1}), record(params={"k": 5}), record(scorer="theirs", params={"b": 2, "a": "x"})]

    assert [cell.label for cell in make_cells(given)] == ["knn", "knn (k=5)", "theirs (a=x, b=2)"]


def test_settings_are_named_where_they_tell_cells_apart_and_nowhere_else():
    """Two heads on one pair are named on all pairs; an image size that is always the same never is."""
    given = [
        record(scorer="msp", params={}, head="probe"),
        record(scorer="msp", params={}, head="zero_shot"),
        record(scorer="msp", params={}, head="probe", out="cars"),
        record(),
    ]

    assert [cell.label for cell in make_cells(given)] == [
        "msp, head probe",
        "msp, head zero_shot",
        "msp, head probe",
        "knn",
    ]


def test_records_that_nothing_else_tells_apart_are_told_apart_by_suite():
    """Two suites with other contents stay two rows."""
    cells = make_cells([record(suite="a"), record(suite="b")])

    assert [cell.label for cell in cells] == ["knn, suite a", "knn, suite b"]


def test_a_record_that_two_suites_share_counts_once():
    """One key is one result."""
    assert len(make_cells([record(key="k", suite="a"), record(key="k", suite="b")])) == 1


def test_records_of_one_seed_are_never_averaged():
    """Other weights under one name are two rows, told apart by their keys."""
    cells = make_cells([record(key="a" * 64, auroc=0.9), record(key="b" * 64, auroc=0.7)])

    assert [(cell.label, cell.value("auroc")) for cell in cells] == [("knn, aaaaaaaa", 0.9), ("knn, bbbbbbbb", 0.7)]
