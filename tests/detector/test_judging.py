"""Verdicts on a stream of files."""

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.detector.calibration import Calibration
from oodkit.detector.judging import judge


@pytest.mark.parametrize(("shift", "flagged"), [(-1e-9, True), (0.0, False), (1e-9, False)])
def test_a_score_at_the_threshold_is_not_flagged(shift, flagged, many_photos, tiny_name):
    """Below it is, and the p-value says the same."""
    calibration = Calibration(np.arange(1.0, 20.0), 0.05, "numbers")
    assert calibration.threshold == 1
    files, backbone = sorted(many_photos.glob("00*.png")), oodkit.load_backbone(tiny_name, device="cpu")
    verdicts = list(judge(files, backbone, lambda rows: np.full(len(rows), 1 + shift), calibration, None, 0))
    assert [verdict.ood for verdict in verdicts] == [flagged] * 10
    assert {verdict.p_value <= 0.05 for verdict in verdicts} == {flagged}


def test_chunks_in_which_no_file_can_be_read(many_photos, tiny_name, monkeypatch):
    """Are rows with errors, and the next chunk is judged."""
    monkeypatch.setattr("oodkit.detector.judging.FILES_AT_ONCE", 3)
    calibration = Calibration(np.arange(1.0, 20.0), 0.05, "numbers")
    backbone = oodkit.load_backbone(tiny_name, device="cpu")
    files = [many_photos / name for name in ("gone1.png", "gone2.png", "gone3.png", "000.png")]
    verdicts = list(judge(files, backbone, lambda rows: np.zeros(len(rows)), calibration, None, 0))
    assert [verdict.ood for verdict in verdicts] == [None, None, None, True]
    assert all("gone" in verdict.error for verdict in verdicts[:3])


def test_features_are_judged_as_their_files_are(many_photos, tiny_name):
    """Whoever has features already gets the same verdicts from them."""
    detector = oodkit.Detector(oodkit.load_backbone(tiny_name, device="cpu")).fit(many_photos, hold_out=0.2).calibrate()
    files = [str(path) for path in sorted(many_photos.glob("00*.png"))]
    images = [Image.open(path) for path in files]
    features = detector.backbone.embed_images(images).numpy()
    assert detector.judge_features(files, features, neighbours=2) == list(detector.judge(files, neighbours=2))
