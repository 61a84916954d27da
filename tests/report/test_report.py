"""The best cell of a pair, and which others are not significantly worse."""

import numpy as np
import pytest

from oodkit.errors import DataNotFound
from oodkit.metrics.holm import holm
from oodkit.metrics.paired_delong import paired_delong
from oodkit.report import make_report
from tests.report.make import benchmark, record, scored


def test_marks_are_paired_tests_against_the_best_with_holms_rule():
    """Every p-value is that of `paired_delong` and `holm` over the cells of the pair."""
    draw = np.random.default_rng(3)
    common = draw.normal(size=400)
    made = []
    for place, lift in enumerate((2.0, 1.99, 1.0)):
        values = common + 0.5 * draw.normal(size=400)
        values[:200] += lift
        made.append(scored(values[:200], values[200:], scorer=f"s{place}", params={}))
    scores = {one.key: kept for one, kept in made}

    report = make_report([one for one, _ in made], scores.__getitem__)

    best = made[0][1]
    raw = [
        paired_delong(best.in_scores, best.out_scores, other.in_scores, other.out_scores).p_value
        for _, other in made[1:]
    ]
    assert [entry.overall.standing for entry in report.entries] == ["best", "close", "worse"]
    assert [entry.overall.p_value for entry in report.entries[1:]] == pytest.approx(holm(raw).tolist())


def test_without_scores_overlapping_intervals_are_not_significantly_worse():
    """Intervals that touch are close; an unknown one rules nothing out; a failed cell stands nowhere."""
    given = [
        record(scorer="a", params={}, auroc=0.9, auroc_ci=(0.85, 0.95)),
        record(scorer="b", params={}, auroc=0.8, auroc_ci=(0.75, 0.85)),
        record(scorer="c", params={}, auroc=0.7, auroc_ci=(0.6, 0.8)),
        record(scorer="d", params={}, auroc=0.7, auroc_ci=None),
        record(scorer="e", params={}, error="no"),
    ]

    report = make_report(given)

    assert [entry.overall.standing for entry in report.entries] == ["best", "close", "worse", "close", "none"]
    assert all(entry.overall.p_value is None for entry in report.entries)


def test_cells_of_other_images_are_compared_by_intervals():
    """A paired test needs the scores of the same images."""
    one, kept = scored([3, 4, 5, 6], [1, 2, 0, 1], scorer="a", params={})
    other, fewer = scored([3, 4, 0, 6], [1, 2, 4], scorer="b", params={})
    scores = {one.key: kept, other.key: fewer}

    report = make_report([one, other], scores.__getitem__)

    assert report.entries[1].overall.p_value is None


def test_equal_figures_are_all_best():
    """Two scorers that separate a pair share the first place."""
    report = make_report([record(scorer="a", params={}), record(scorer="b", params={})])

    assert [entry.overall.standing for entry in report.entries] == ["best", "best"]


def test_each_backbone_has_a_best_of_its_own():
    """Within its backbone a cell can be the best that another backbone beats."""
    given = [
        record(backbone="x", auroc=0.9, auroc_ci=(0.89, 0.91)),
        record(backbone="y", auroc=0.6, auroc_ci=(0.5, 0.7)),
    ]

    report = make_report(given)

    assert [entry.overall.standing for entry in report.entries] == ["best", "worse"]
    assert [entry.within.standing for entry in report.entries] == ["best", "best"]


def test_scores_that_are_gone_are_a_note_and_no_failure():
    """The report goes on with intervals and says so."""

    def nothing(key: str):
        raise DataNotFound(f"no scores of {key[:4]}")

    report = make_report([record()], nothing)

    assert len(report.notes) == 1
    assert "intervals are compared" in report.notes[0]


def test_a_reconstructed_list_is_a_label():
    """A suite that says its list is reconstructed has the label in every report."""
    assert make_report([record(provenance={"about": "Reconstructed list: inferred."})]).labels == (
        "reconstructed list",
    )
    assert make_report([record(provenance={"about": "Nothing of note."})]).labels == ()


def test_entries_keep_the_order_of_the_records():
    """Whatever is best, the rows stand as they were run."""
    records, scores = benchmark()

    report = make_report(records, scores.__getitem__)

    assert [entry.cell.first.key for entry in report.entries] == [one.key for one in records]
