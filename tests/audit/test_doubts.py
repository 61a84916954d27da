"""Doubts beside a figure."""

import dataclasses
import math

import numpy as np

from oodkit.audit.audit import Audit, NearDuplicate
from oodkit.audit.baselines import Baseline
from oodkit.audit.class_names import SharedClass
from oodkit.audit.doubts import OUTSIDE_ASSUMPTIONS, doubts
from oodkit.scorers import create

SURE = {"auroc": 0.9, "auroc_ci": (0.897, 0.903), "n_in": 10_000, "n_out": 10_000}
WIDTH = Baseline("width", "file", 0.95, 0.94, 0.96, "out", 32.0, 160.0)
SHARP = Baseline("sharpness", "pixels", 0.7, 0.69, 0.71, "out", 1.0, 2.0)
LEARNED = Baseline("learned_pixels", "learned", 0.89, 0.88, 0.895, "in")
PAIR = NearDuplicate("a", "b", "00", "11", 0.99, 0.98, False, False)
CLEAN = Audit("A", "B", 100, 100, 200, None, 0, (SHARP,), (), (), (), (), {})


def test_nothing_speaks_against_a_good_figure():
    """A clean audit and a narrow interval."""
    assert doubts(**SURE, ties=0.001, notes=("shrinkage 0.1",), audit=CLEAN) == ()


def test_a_failed_cell_has_none():
    """Its error says it all."""
    assert doubts(auroc=None, n_in=0, n_out=0, ties=1.0, audit=CLEAN) == ()


def test_few_images():
    """An interval wider than ten units of the last digit; without an interval, Hanley and McNeil's."""
    few = {"auroc": 0.9, "auroc_ci": (0.85, 0.94), "n_in": 100, "n_out": 80}
    assert doubts(**few) == ("few images (100 in, 80 out): the 95 % interval is 9.0 points wide",)
    assert doubts(**few, digits=0) == ()
    assert len(doubts(**SURE, digits=2)) == 1
    for ends in (None, (math.nan, math.nan)):
        assert "100 in, 80 out" in doubts(**{**few, "auroc_ci": ends})[0]


def test_under_a_half():
    """Below, and whether that may be chance."""
    assert doubts(auroc=0.4, auroc_ci=(0.397, 0.403), n_in=9, n_out=9) == (
        "AUROC under 50: out-images score above in-images",
    )
    assert doubts(auroc=0.499, auroc_ci=(0.496, 0.502), n_in=9, n_out=9) == ("AUROC under 50: within chance",)


def test_ties():
    """More than one pair in a thousand."""
    assert doubts(**SURE, ties=0.02) == ("2 % of in/out pairs have equal scores",)


def test_a_trivial_baseline_that_is_as_good():
    """A single cue is named before a classifier; within its interval or 2 points counts as nearly."""
    audit = dataclasses.replace(CLEAN, baselines=(WIDTH, LEARNED, SHARP))
    assert doubts(**SURE, audit=audit) == ("width alone separates the pair as well (95.0)",)
    audit = dataclasses.replace(CLEAN, baselines=(LEARNED, SHARP))
    assert doubts(**SURE, audit=audit) == (
        "a classifier on trivial cues of the pixels separates the pair nearly as well (89.0)",
    )
    assert doubts(**{**SURE, "auroc": 0.96, "auroc_ci": (0.957, 0.963)}, audit=audit) == ()


def test_a_cue_that_is_chance_is_no_rival():
    """A scorer at a half is not beaten by noise."""
    noise = dataclasses.replace(SHARP, auroc=0.505, low=0.49, high=0.52)
    audit = dataclasses.replace(CLEAN, baselines=(noise,))
    assert doubts(auroc=0.51, auroc_ci=(0.507, 0.513), n_in=9, n_out=9, audit=audit) == ()


def test_files_do_not_matter_once_resolutions_are_alike():
    """A width that both sets lost is no rival any more; unless some images were too small for that."""
    audit = dataclasses.replace(CLEAN, baselines=(WIDTH, SHARP), source_resolution=32)
    assert doubts(**SURE, audit=audit) == ()
    assert doubts(**SURE, audit=dataclasses.replace(audit, smaller=3)) != ()


def test_duplicates_and_shared_names():
    """Images are counted once, however many pairs they are in."""
    audit = dataclasses.replace(
        CLEAN,
        in_out=(PAIR, dataclasses.replace(PAIR, other_id="c", other_digest="22")),
        in_fit=(PAIR,),
        shared_classes=(SharedClass("roses", "rose", "plural"),),
    )
    assert doubts(**SURE, audit=audit) == (
        "1 classes are in both sets by name, such as roses / rose",
        "1 in-images and 2 out-images are near-duplicates of each other",
        "1 in-images (1.0 %) have near-duplicates in the fit split",
    )


def test_simple_pictures_are_alike_without_being_copies():
    """Where more than a fifth of the in-images have a near-duplicate in the fit split, the line says what that is."""
    alike = tuple(dataclasses.replace(PAIR, in_digest=f"{i:02x}", identical=i == 0) for i in range(30))
    audit = dataclasses.replace(CLEAN, in_out=(PAIR,), in_fit=alike)
    assert doubts(**SURE, audit=audit) == (
        "30 % of the in-images look like one of the fit split, as simple pictures do without being copies (1 have the "
        "same bytes)",
    )


def test_tuning_on_out_images():
    """Said first; and names of OOD classes are knowledge of the out-set too."""
    assert doubts(**SURE, tuned_on_out=True) == ("hyper-parameters were chosen with images of the out-set",)
    assert doubts(**SURE, notes=("names of OOD classes were used",)) == ("it knows the names of the OOD classes",)


def test_notes_of_a_scorer_outside_its_assumptions_are_doubts():
    """ReAct on features with negative values, and a probe of one column: their own words."""
    features = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    msp = create("msp").fit(features[:, :1])
    pca = create("pca", components=3).fit(np.ones((20, 4), np.float32))
    for notes in (msp.notes_, pca.notes_):
        assert doubts(**SURE, notes=notes) == tuple(f"outside its assumptions: {note}" for note in notes)
        assert notes


def test_every_wording_is_one_that_a_scorer_uses():
    """A note that is reworded must not lose its doubt unseen."""
    from pathlib import Path

    import oodkit.scorers

    source = "".join(path.read_text(encoding="utf-8") for path in Path(oodkit.scorers.__file__).parent.glob("*.py"))
    assert [wording for wording in OUTSIDE_ASSUMPTIONS if wording not in source] == []
