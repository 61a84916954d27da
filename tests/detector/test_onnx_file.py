"""The exported graph gives the detector's scores and verdicts, or there is no file."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import oodkit
from oodkit.cli.main import run
from oodkit.detector import onnx_file
from oodkit.detector.onnx_file import export_onnx
from oodkit.errors import DataNotFound, InvalidInput

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@pytest.fixture
def detector(many_photos, tiny_name):
    """`detector(scorer, ...)`: fitted on photographs, with the backbone's classifier as head, and calibrated."""

    def fitted(scorer, **params):
        backbone = oodkit.load_backbone(tiny_name, device="cpu")
        return oodkit.Detector(backbone, scorer, **params).fit(many_photos, hold_out=0.2).calibrate()

    return fitted


@pytest.mark.parametrize(
    ("scorer", "params"),
    [
        ("knn", {"k": 3}),
        ("mahalanobis", {"normalize": True}),
        ("msp", {"temperature": 2.0}),
        ("energy", {}),
        ("max_logit", {}),
    ],
)
def test_onnx_runtime_gives_the_same_scores_and_verdicts(detector, photograph, tmp_path, scorer, params):
    """For any number of images at once, of photographs and of noise."""
    made = detector(scorer, **params)
    file = tmp_path / "detector.onnx"
    assert export_onnx(made, file) <= 1e-4
    rng = np.random.default_rng(0)
    images = [photograph(7000 + number) for number in range(6)]
    images += [Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)) for _ in range(6)]
    pixels = torch.stack([made.backbone.preprocess(image) for image in images])
    expected = made.score_features(made.backbone.embed_images(images).numpy())
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for size in (1, 5, 12):
        score, ood = session.run(["score", "ood"], {"pixels": pixels[:size].numpy()})
        np.testing.assert_allclose(score, expected[:size], rtol=1e-4)
        assert (ood == (score < made.calibration.threshold)).all()
    said = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    assert float(said["oodkit.threshold"]) == made.calibration.threshold
    assert said["oodkit.guarantee"] == made.calibration.guarantee


@pytest.mark.parametrize(("scorer", "params"), [("pca", {}), ("mahalanobis", {"covariance": "per_class"})])
def test_a_scorer_without_a_graph_is_refused(many_photos, tiny_name, tmp_path, scorer, params):
    """One line names what can be written instead, and no file is left."""
    half = {"labels": [0, 1] * 50} if params else {}
    backbone = oodkit.load_backbone(tiny_name, device="cpu")
    made = oodkit.Detector(backbone, scorer, **params).fit(many_photos, hold_out=0.2, **half).calibrate()
    with pytest.raises(InvalidInput, match=r"knn, mahalanobis|use 'shared'"):
        export_onnx(made, tmp_path / "detector.onnx")
    assert not (tmp_path / "detector.onnx").exists()


def test_scores_that_differ_leave_no_file(detector, tmp_path, monkeypatch):
    """What was there before stays as it was."""
    file = tmp_path / "detector.onnx"
    file.write_bytes(b"older")
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    with pytest.raises(InvalidInput, match="differ by"):
        export_onnx(detector("max_logit"), file)
    assert file.read_bytes() == b"older"
    assert [path.name for path in tmp_path.glob("*.onnx*")] == ["detector.onnx"]


def test_images_to_compare_on_must_be_there(detector, many_photos, tmp_path):
    """Those of the fit, where they still are; else others are asked for."""
    made = detector("max_logit")
    some = sorted(many_photos.iterdir())[0].rename(tmp_path / "kept.png")
    for path in many_photos.iterdir():
        path.unlink()
    with pytest.raises(DataNotFound, match="--check"):
        export_onnx(made, tmp_path / "detector.onnx")
    assert export_onnx(made, tmp_path / "detector.onnx", [some]) <= 1e-4


def test_the_command_writes_a_file(detector, tiny_name, tmp_path, capsys):
    """And says how far scores differ."""
    detector("max_logit").save(tmp_path / "saved")
    words = ["export", str(tmp_path / "saved"), "--backbone", tiny_name]
    assert run([*words, "--onnx", str(tmp_path / "detector.onnx")]) == 0
    assert "differ by" in capsys.readouterr().out
    assert Path(tmp_path / "detector.onnx").stat().st_size > 1000
    assert run([*words, "--onnx", str(tmp_path / "none" / "detector.onnx")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(detector, tmp_path, monkeypatch):
    """One line with the command."""
    made = detector("max_logit")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r"needs the package 'onnxscript'; pip install 'oodkit-vision\[onnx\]'"):
        export_onnx(made, tmp_path / "detector.onnx")
