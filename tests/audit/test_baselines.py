"""Trivial baselines of a pair."""

import numpy as np
import pytest

from oodkit.audit.baselines import baselines
from oodkit.audit.cues import CUES
from oodkit.metrics import auroc_interval


def by_name(found):
    return {baseline.name: baseline for baseline in found}


def test_a_cue_is_scored_whichever_way_round(facts):
    """The AUROC is at least a half, and says which side has the higher values; the interval is DeLong's."""
    a, b = facts(40, 0), facts(50, 1)
    found = by_name(baselines(a, b))
    for column, name in enumerate(CUES):
        expected = auroc_interval(a.cues[:, column], b.cues[:, column])
        baseline = found[name]
        assert baseline.auroc == pytest.approx(max(expected.auroc, 1 - expected.auroc))
        assert baseline.higher == ("in" if expected.auroc >= 0.5 else "out")
        ends = (expected.low, expected.high)
        if baseline.higher == "out":
            ends = (1 - expected.high, 1 - expected.low)
        assert (baseline.low, baseline.high) == pytest.approx(ends)
        assert baseline.typical_in == np.median(a.cues[:, column])


def test_the_strongest_stands_first(facts):
    """Widths that do not overlap tell the pair apart."""
    found = baselines(facts(20, 0, width=np.arange(20)), facts(20, 1, width=100 + np.arange(20)))
    assert (found[0].name, found[0].kind, found[0].auroc, found[0].higher) == ("width", "file", 1, "out")
    assert [b.auroc for b in found] == sorted((b.auroc for b in found), reverse=True)


def test_the_format_alone_is_a_baseline(facts):
    """10 of 20 in-images and none of 20 out-images are PNG: half of the pairs are told, the others are tied."""
    a, b = facts(20, 0, format="WEBP"), facts(20, 1, format="WEBP")
    a.formats[:10] = "PNG"
    found = by_name(baselines(a, b))["format"]
    assert found.auroc == 0.5 + 0.5 * 0.5
    assert found.typical_out == "WEBP"


def test_the_learned_baseline_joins_weak_cues_and_is_not_fooled_by_noise(facts):
    """Two cues that tell little alone tell all together; on chance cues the classifier stays near a half."""
    chance = np.random.default_rng(0)
    base = chance.normal(size=(2, 300))
    a = facts(300, 1, brightness=base[0], contrast=base[0] + 0.1 * chance.normal(size=300) + 0.4)
    b = facts(300, 2, brightness=base[1], contrast=base[1] + 0.1 * chance.normal(size=300) - 0.4)
    found = by_name(baselines(a, b))
    assert found["contrast"].auroc < 0.8
    assert found["learned_pixels"].auroc > 0.97
    noise = by_name(baselines(facts(300, 3), facts(300, 4)))
    assert noise["learned_all"].low < 0.5 < noise["learned_all"].high + 0.05


def test_pixels_alone_do_not_see_the_file(facts):
    """A cue of the file is used by the classifier on all cues only."""
    found = by_name(baselines(facts(60, 0, jpeg_quality=60), facts(60, 1, jpeg_quality=90)))
    assert found["learned_all"].auroc > 0.95
    assert found["learned_pixels"].auroc < 0.7


def test_few_images_have_no_classifier_and_one_has_no_interval(facts):
    """With one image a side nothing is said about certainty."""
    found = baselines(facts(1, 0), facts(1, 1))
    assert {b.kind for b in found} == {"file", "pixels"}
    assert all(b.low is None and b.high is None for b in found)
