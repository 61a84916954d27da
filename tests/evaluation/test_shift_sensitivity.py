"""Which shifting transformation makes good negatives, on painted images of two colours."""

import json

import pytest

from oodkit.errors import InvalidInput, UnknownName
from oodkit.evaluation.shift_sensitivity import sensitivity

FAST = {"epochs": 2, "hidden": 16, "code": 8, "weak_views": 1}


@pytest.fixture
def found(painted, network, tmp_path):
    """`found(...)`: the comparison on a painted set."""

    def run(**options):
        options = {"params": FAST, "shifts": ["rotate90", "patches2", "pixels"], "held_out": 0.5, **options}
        return sensitivity(str(painted / "in"), backbone=network("plain"), cache=str(tmp_path), **options)

    return run


def test_candidates_are_judged_by_the_other_transformations(found, monkeypatch):
    """Each has the mean over the others, never over itself; they are ranked by it."""
    monkeypatch.setattr("oodkit.evaluation.shift_sensitivity.LEAST_AUROC", 0.0)
    report = found()

    assert {one.shift for one in report.candidates} == {"rotate90", "patches2", "pixels"}
    for one in report.candidates:
        assert set(one.by_shift) == {"rotate90", "patches2", "pixels"} - {one.shift}
        assert one.proxy.value == pytest.approx(sum(one.by_shift.values()) / 2)
        assert one.proxy.low <= one.proxy.value <= one.proxy.high
    values = [one.proxy.value for one in report.candidates]
    assert values == sorted(values, reverse=True)
    assert report.chosen == report.candidates[0].shift
    assert (report.n_fit, report.n_held_out) == (12, 12)


def test_the_three_turns_are_not_judged_by_one_of_them(found, monkeypatch):
    """What a candidate was trained with is left out, under whatever name."""
    monkeypatch.setattr("oodkit.evaluation.shift_sensitivity.LEAST_AUROC", 0.0)
    report = found(shifts=["rotate", "rotate90", "pixels"])

    by_name = {one.shift: set(one.by_shift) for one in report.candidates}
    assert by_name == {"rotate": {"pixels"}, "rotate90": {"pixels"}, "pixels": {"rotate", "rotate90"}}


def test_what_the_backbone_does_not_see_is_dropped(found, monkeypatch):
    """Nothing is trained with it, a note says why, and it comes last."""
    monkeypatch.setattr("oodkit.evaluation.shift_sensitivity.LEAST_AUROC", 1.1)
    report = found()

    assert report.chosen is None
    assert all(one.proxy is None for one in report.candidates)
    assert len(report.notes) == 3
    assert "is dropped: a linear probe tells shifted images with an AUROC of" in report.notes[0]


def test_the_report_as_json(found):
    """One document; the same arguments give the same figures."""
    first, again = (json.loads(json.dumps(found().to_dict())) for _ in range(2))
    for report in (first, again):
        for one in report["candidates"]:
            del one["seconds"]
    assert first == again
    assert first["settings"]["seed"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shifts": ["rotate45", "pixels"]}, "shift must be one of"),
        ({"shifts": ["pixels"]}, "pixels has no other transformation to be judged by"),
        ({"shifts": ["rotate", "rotate90"]}, "rotate has no other transformation to be judged by"),
        ({"params": {"shift": "pixels"}}, "shift is no parameter to give here"),
        ({"held_out": 1.0}, "held_out must be a share between 0 and 1"),
        ({"held_out": 0.01}, "fewer than two on one side"),
        ({"params": {"epochs": 0}}, "epochs must be"),
    ],
)
def test_what_cannot_be_compared_is_one_line(found, options, words, monkeypatch):
    """What was given, and what to do."""
    monkeypatch.setattr("oodkit.evaluation.shift_sensitivity.LEAST_AUROC", 0.0)
    with pytest.raises(InvalidInput, match=words) as caught:
        found(**options)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnknownName)
