"""Evaluation under attack."""

from dataclasses import replace

import numpy as np
import pytest

import oodkit
from oodkit.errors import InvalidInput
from oodkit.robustness import evaluate_robustness, plot_robustness
from oodkit.robustness.doubts import Found, doubts


@pytest.fixture
def sets(photo_folder, noise_folder):
    """In-test photographs and noise."""
    return oodkit.load_dataset(f"{photo_folder}:test"), oodkit.load_dataset(str(noise_folder))


def test_attacks_lower_the_auroc(detector, sets, tmp_path):
    """By more with a larger radius and on both sides than on one; the worst of all is no better than any."""
    found = evaluate_robustness(detector, *sets, ["fgsm", "pgd"], [2 / 255, 16 / 255], params={"pgd": {"steps": 8}})
    cells = {(r.attack, r.eps, r.side): r.auroc for r in found.results}
    small, large = 2 / 255, 16 / 255

    assert len(cells) == 1 + 3 * 2 * 3
    clean = cells["clean", 0.0, "none"]
    assert clean == pytest.approx(oodkit.metrics.auroc(*(detector.score(images) for images in sets)))
    for name in ("fgsm", "pgd", "worst"):
        assert cells[name, large, "out"] <= cells[name, small, "out"] <= clean
        for eps in (small, large):
            assert cells[name, eps, "both"] <= min(cells[name, eps, "out"], cells[name, eps, "in"])
            assert cells["worst", eps, "both"] <= cells[name, eps, "both"]
    assert all(r.shift > 0 for r in found.results[1:])
    plot_robustness(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000


def test_scorers_without_gradients_are_attacked_by_square(photo_folder, tiny_name, sets):
    """A scikit-learn detector can be attacked through its scores alone, and by nothing else."""
    detector = oodkit.Detector(tiny_name, "sklearn:IsolationForest", random_state=0).fit(f"{photo_folder}:train")

    found = evaluate_robustness(
        detector, *sets, ["square"], [16 / 255], sides=["out"], params={"square": {"steps": 20}}
    )

    assert found.results[1].auroc <= found.results[0].auroc
    with pytest.raises(InvalidInput, match="use the attack square"):
        evaluate_robustness(detector, *sets, ["pgd"], [16 / 255])


def test_a_run_that_was_broken_off_goes_on(detector, sets, tmp_path):
    """Kept scores are not made again, a torn line is; more radii may be asked for, other images are refused."""
    ask = {"sides": ["out"], "params": {"pgd": {"steps": 4, "restarts": 2}}, "batch_size": 3}
    whole = evaluate_robustness(detector, *sets, ["pgd"], [8 / 255], **ask, folder=tmp_path / "kept")
    path = tmp_path / "kept" / "scores.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 1 + len(sets[1])
    path.write_text("".join(lines[:4]).replace('"score": ', '"score": 1') + lines[4][:20])

    again = evaluate_robustness(detector, *sets, ["pgd"], [4 / 255, 8 / 255], **ask, folder=tmp_path / "kept")

    first, second = (found.scores["pgd", 8 / 255, "out"] for found in (whole, again))
    assert (second[:3] != first[:3]).all()  # taken as they stood in the file
    np.testing.assert_allclose(second[3:], first[3:], atol=1e-6)
    with pytest.raises(InvalidInput, match="made with another out-images"):
        evaluate_robustness(detector, sets[0], sets[1].subset([0, 1]), ["pgd"], [8 / 255], folder=tmp_path / "kept")


def test_bad_requests_are_refused(detector, sets):
    """An unknown side, no attack, a radius in grey levels."""
    with pytest.raises(InvalidInput, match="sides are out, in, both"):
        evaluate_robustness(detector, *sets, sides=["outside"])
    with pytest.raises(InvalidInput, match="at least one attack"):
        evaluate_robustness(detector, *sets, [])
    with pytest.raises(InvalidInput, match="8 grey levels are 8/255"):
        evaluate_robustness(detector, *sets, eps=[8])


def test_images_that_stay_where_they_are_are_reported():
    """An attack that gradients lead nowhere is named with its share of images; no radius, or no gradients, is none."""
    (line,) = lines(found("pgd", [0, 1, 2, 9]))
    assert "pgd (eps 8/255, out-images): 75 % of the images score as they did" in line
    assert "75 %" in lines(found("pgd", [0, 1, 2, -9], "in"))[0]
    assert lines(found("pgd", [0, 1, 8, 9])) == []
    assert lines(found("square", [0, 1, 2, 3], white_box=False)) == []
    assert lines(replace(found("pgd", [0, 1, 2, 3]), eps=0.0)) == []
    assert len(lines(found("pgd", [0, 1, 2, 3], zero_slopes=1.0))) == 1


def found(attack, scores, side="out", calls=50, white_box=True, zero_slopes=0.0):
    return Found(attack, 8 / 255, side, np.array(scores, dtype=float), zero_slopes, calls, white_box)


def lines(*cells, again=None, draws=1):
    clean = np.array([0.0, 1.0, 2.0, 3.0])
    return list(doubts(cells, clean, clean, clean if again is None else again, draws))


def test_signs_of_a_weak_attack_are_reported():
    """Vanished gradients, a black-box attack or fewer steps ahead, scores that change; nothing where all is well."""
    strong, weak = found("pgd", [5, 5, 5, 5]), found("fgsm", [4, 4, 4, 4], calls=2)
    assert lines(strong, weak) == []
    assert "gradient is exactly zero for 25 %" in lines(found("pgd", [1, 2, 3, 4], zero_slopes=0.25))[0]
    assert "square without gradients does better" in lines(strong, found("square", [6, 5, 5, 5], white_box=False))[0]
    assert "fgsm with fewer evaluations does better" in lines(strong, found("fgsm", [6, 5, 5, 5], calls=2))[0]
    assert lines(found("pgd", [1, 1, 1, 1], "in"), found("square", [2, 2, 2, 2], "in", white_box=False)) == []
    assert "differ from one pass to the next" in lines(again=np.array([0.0, 1.0, 2.0, 3.1]))[0]
    assert lines(again=np.array([0.0, 1.0, 2.0, 3.1]), draws=8) == []
