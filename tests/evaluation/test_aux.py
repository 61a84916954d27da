"""Auxiliary sets, which scorers learn from as not in-distribution."""

from importlib import import_module

import pytest

import oodkit
from oodkit import evaluate
from oodkit.errors import InvalidInput
from oodkit.registry import Entry
from oodkit.scorers.base import Need, Scorer
from oodkit.scorers.families import ScorerRegistry
from tests.painting import paint


class AwayFromAux(Scorer):
    """Squared distance to the mean of the auxiliary rows."""

    needs = frozenset({Need.AUX})

    def _fit(self, train):
        self.centre_ = train.aux.mean(dim=(0, 1))

    def _score(self, x):
        return (x - self.centre_.to(x.dtype)).square().sum(dim=1)


@pytest.fixture
def sets(tmp_path, painted):
    """In-set, out-set, and an auxiliary set of other images."""
    paint(tmp_path / "aux", "blue", 12, 50)
    return str(painted / "in"), str(painted / "out"), str(tmp_path / "aux")


@pytest.fixture(autouse=True)
def away(monkeypatch):
    """A registry with this scorer alone."""
    entries = {"away": Entry(f"{__name__}:AwayFromAux", "")}
    registry = ScorerRegistry("scorer", entries, group="oodkit.test.scorers", families={})
    monkeypatch.setattr(import_module("oodkit.evaluation.evaluate"), "scorer_registry", registry)
    monkeypatch.setattr("oodkit.scorers.scorers", registry)


def test_an_auxiliary_set_is_learnt_from_and_on_record(sets, network):
    """Red and green lie farther from blue than blue does; the detector takes such images too."""
    in_, out, aux = sets
    found = evaluate(in_, out, backbone=network("plain"), scorers="away", aux=aux)
    assert found.results[0].auroc > 0.8
    assert found.settings["aux"] == aux
    detector = oodkit.Detector(network("plain"), AwayFromAux()).fit(in_, aux=aux)
    assert detector.score(in_).min() > detector.score(aux).max()


def test_an_auxiliary_set_that_is_in_the_comparison_is_refused(sets, network, tmp_path, painted):
    """By name, as a copy of some images, or as a copy of the whole in-set; and none at all."""
    in_, out, _ = sets
    ask = {"backbone": network("plain"), "scorers": "away"}
    for aux, kind in [(in_, "in-set"), (out, "out-set"), (f"{in_}@red", "in-set")]:
        with pytest.raises(InvalidInput, match=f"has images of the {kind} .* leak into training; name another"):
            evaluate(in_, out, **ask, aux=aux)
    shared = tmp_path / "shared"
    paint(shared, "blue", 3, 60)
    copied = next((painted / "out").rglob("*.png"))
    (shared / "copy.png").write_bytes(copied.read_bytes())
    with pytest.raises(InvalidInput, match=r"1 images of the auxiliary set .* are in the out-set .*, which would leak"):
        evaluate(in_, out, **ask, aux=str(shared))
    whole = tmp_path / "whole"
    whole.mkdir()
    for number, image in enumerate((painted / "in").rglob("*.png")):
        (whole / f"{number}.png").write_bytes(image.read_bytes())
    with pytest.raises(InvalidInput, match=r"every image of the auxiliary set .* is in the in-set"):
        evaluate(in_, out, **ask, aux=str(whole))
    with pytest.raises(InvalidInput, match="needs an auxiliary set that is not in-distribution; give --aux D"):
        evaluate(in_, out, **ask)


def test_some_images_of_the_in_set_are_said(sets, network, tmp_path, painted):
    """A note, since they are taught to be out."""
    in_, out, _ = sets
    paint(tmp_path / "mixed", "blue", 3, 70)
    (tmp_path / "mixed" / "copy.png").write_bytes(next((painted / "in").rglob("*.png")).read_bytes())
    found = evaluate(in_, out, backbone=network("plain"), scorers="away", aux=str(tmp_path / "mixed"))
    assert any("1 images of the auxiliary set" in note and "are also in" in note for note in found.notes)
