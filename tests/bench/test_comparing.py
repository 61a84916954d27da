"""Two runs or two scorers on the same images."""

import numpy as np
import pytest

from oodkit.bench.comparing import compare
from oodkit.bench.record import CellScores
from oodkit.bench.results import Results
from oodkit.errors import DataNotFound, InvalidInput
from oodkit.metrics import holm, paired_delong
from tests.bench.records import make_record

IN, OUT = np.array([f"in{i}" for i in range(60)]), np.array([f"out{i}" for i in range(50)])


def scores(shift, seed):
    """Scores whose in-images lie `shift` higher."""
    rng = np.random.default_rng(seed)
    return CellScores(IN, rng.normal(shift, 1, len(IN)), OUT, rng.normal(0, 1, len(OUT)))


def key(number):
    return f"{number:064x}"


@pytest.fixture
def folder(tmp_path):
    """Two scorers on two out-sets; knn is far better on one of them."""
    with Results(tmp_path / "a") as results:
        for number, (scorer, out, shift) in enumerate(
            [("knn", "x", 3.0), ("msp", "x", 0.1), ("knn", "y", 0.5), ("msp", "y", 0.5)]
        ):
            results.add(make_record(key=key(number), scorer=scorer, out=out), scores(shift, number))
    return tmp_path / "a"


def test_two_scorers_are_compared_by_paired_tests_over_the_table(folder):
    """P-values are those of DeLong's test, adjusted by Holm over both pairs."""
    found = compare("knn", "msp", folder)
    tests = [
        paired_delong(a.in_scores, a.out_scores, b.in_scores, b.out_scores)
        for a, b in [(scores(3.0, 0), scores(0.1, 1)), (scores(0.5, 2), scores(0.5, 3))]
    ]
    assert [cell.difference for cell in found.cells] == tests
    np.testing.assert_allclose([cell.p_value for cell in found.cells], holm([test.p_value for test in tests]))
    assert found.wins == (1, 1, 0)
    assert found.cells[1].detectable > found.cells[1].difference.standard_error


def test_a_run_against_itself_has_no_difference(folder):
    """All p-values are 1."""
    found = compare(str(folder), str(folder), folder)
    assert [cell.p_value for cell in found.cells] == [1.0] * 4
    assert found.wins == (0, 4, 0)
    assert found.are_runs


def test_images_in_another_order_are_matched_by_their_ids(folder, tmp_path):
    """The same scores in another order differ by nothing."""
    mixed = np.random.default_rng(0).permutation(len(IN))
    whole = scores(3.0, 0)
    with Results(tmp_path / "b") as results:
        turned = CellScores(IN[mixed], whole.in_scores[mixed], OUT, whole.out_scores)
        results.add(make_record(key=key(9), scorer="knn", out="x"), turned)
    found = compare(str(folder), str(tmp_path / "b"), folder)
    assert [cell.difference.difference for cell in found.cells] == [0.0]
    assert len(found.left_out) == 3


def test_cells_that_cannot_be_compared_are_named(folder, tmp_path):
    """Other images, failures, and cells of one side."""
    with Results(tmp_path / "b") as results:
        other = scores(3.0, 0)
        results.add(
            make_record(key=key(9), scorer="knn", out="x"),
            CellScores(IN[:9], other.in_scores[:9], OUT, other.out_scores),
        )
        results.add(make_record(key=key(8), scorer="msp", out="x", auroc=None, error="no"), None)
        results.add(make_record(key=key(7), scorer="knn", out="y"), scores(0.5, 2))
        results.add(make_record(key=key(6), scorer="knn", out="z"), scores(0.5, 2))
    found = compare(str(folder), str(tmp_path / "b"), folder)
    assert len(found.cells) == 1
    reasons = "\n".join(found.left_out)
    for part in ("scored on other images", "b failed", "a has it", "b has it"):
        assert part in reasons


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [("knnn", "msp", "no cells of a scorer 'knnn'.*did you mean 'knn'"), ("{folder}", "msp", "'msp' is no folder")],
)
def test_sides_that_do_not_fit_are_refused(folder, a, b, message):
    """In one line."""
    with pytest.raises(InvalidInput, match=message):
        compare(a.format(folder=folder), b, folder)


def test_results_that_are_not_there_are_refused(tmp_path):
    """With what to run."""
    with pytest.raises(DataNotFound, match="run `oodkit bench` first"):
        compare("knn", "msp", tmp_path / "none")


def test_a_scorer_with_several_settings_is_refused(folder):
    """It is not clear which is meant."""
    with Results(folder) as results:
        results.add(make_record(key=key(20), scorer="knn", out="x", params={"k": 9}), scores(1, 5))
    with pytest.raises(InvalidInput, match="several settings"):
        compare("knn", "msp", folder)
