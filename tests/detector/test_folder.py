"""Detectors in folders: the same bits back, and nothing that was changed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import oodkit
from oodkit.errors import DataNotFound, InvalidInput

TOWERS = Path(__file__).parents[1] / "evaluation" / "towers.py"


@pytest.fixture
def saved(many_photos, tiny_name, tmp_path):
    """A saved k-NN detector."""
    oodkit.Detector(tiny_name).fit(many_photos).calibrate(fpr=0.1).save(tmp_path / "detector")
    return tmp_path / "detector"


def same(first, second, images):
    """Scores, p-values, verdicts and neighbours are bitwise alike."""
    np.testing.assert_array_equal(first.score(images), second.score(images))
    np.testing.assert_array_equal(first.p_values(images), second.p_values(images))
    np.testing.assert_array_equal(first.predict(images), second.predict(images))
    assert first.explain(images) == second.explain(images)
    assert first.calibration.guarantee == second.calibration.guarantee


@pytest.mark.parametrize(
    ("scorer", "params"),
    [
        ("knn", {"k": 3}),
        ("mahalanobis", {}),
        ("kernel", {}),
        ("pca", {}),
        ("gmm", {"components": 2}),
        ("clusters", {"clusters": 2}),
    ],
)
def test_scores_are_bitwise_alike(scorer, params, many_photos, tiny_name, tmp_path, photograph):
    """For scorers of features."""
    detector = oodkit.Detector(tiny_name, scorer, **params).fit(many_photos).calibrate(fpr=0.2)
    detector.save(tmp_path / "d")
    loaded = oodkit.Detector.load(tmp_path / "d", backbone=tiny_name)
    same(detector, loaded, [photograph(8000 + i) for i in range(12)])
    assert loaded.fitted_on == detector.fitted_on
    loaded.save(tmp_path / "again")
    for name in ("detector.json", "arrays.safetensors", "fit_images.json", "scorer/scorer.json"):
        assert (tmp_path / "d" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize(("factory", "scorer"), [("two_classes", "max_logit"), ("plain", "vim"), ("clip", "mcm")])
def test_heads_and_projections_come_back(factory, scorer, photo_folder, tmp_path, photograph):
    """Logits of the backbone's classifier, a probe beside features, and the image-text space."""
    backbone = oodkit.load_backbone(f"module:{TOWERS}:{factory}", device="cpu")
    params = {"dim": 3} if scorer == "vim" else {}
    texts = {"class_names": ["red", "blue"]} if scorer == "mcm" else {}
    detector = oodkit.Detector(backbone, scorer, **params).fit(f"{photo_folder}:train", hold_out=0.5, **texts)
    detector.calibrate(fpr=0.2).save(tmp_path / "d")
    same(detector, oodkit.Detector.load(tmp_path / "d", backbone=backbone), [photograph(8000 + i) for i in range(12)])


def test_one_changed_byte_in_any_file_is_refused(saved, tiny_name):
    """Whichever file and place; the message names a file, in one line."""
    files = [path for path in saved.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"SHA256SUMS", "card.md", "detector.json", "arrays.safetensors"}
    rng = np.random.default_rng(0)
    for path in files:
        content = path.read_bytes()
        for place in {0, len(content) - 1, *rng.integers(0, len(content), 6).tolist()}:
            for flip in (1, 0x20):
                changed = bytearray(content)
                changed[place] ^= flip
                path.write_bytes(changed)
                with pytest.raises((InvalidInput, DataNotFound)) as caught:
                    oodkit.Detector.load(saved, backbone=tiny_name)
                assert "\n" not in str(caught.value)
        path.write_bytes(content)
    oodkit.Detector.load(saved, backbone=tiny_name)


def test_missing_files_and_newer_formats_are_one_line(saved, tmp_path, tiny_name):
    """What is missing is named; a newer format says which."""
    files = [path.relative_to(saved).as_posix() for path in saved.rglob("*") if path.is_file()]
    assert {"card.md", "arrays.safetensors", "SHA256SUMS", "scorer/scorer.json", "fit_images.json"} < set(files)
    for name in sorted(set(files) - {"detector.json"}):
        broken = tmp_path / "broken"
        shutil.copytree(saved, broken)
        (broken / name).unlink()
        with pytest.raises(DataNotFound, match=name):
            oodkit.Detector.load(broken, backbone=tiny_name)
        shutil.rmtree(broken)
    about = json.loads((saved / "detector.json").read_text())
    (saved / "detector.json").write_text(json.dumps({**about, "format": 4}))
    with pytest.raises(InvalidInput, match="has format 4, and this version reads format 3"):
        oodkit.Detector.load(saved, backbone=tiny_name)
    with pytest.raises(DataNotFound, match="no detector in"):
        oodkit.Detector.load(tmp_path / "nowhere")


def test_another_backbone_is_refused(saved, tiny_file, tmp_path):
    """Other weights or another input size give other features."""
    for other in (
        oodkit.load_backbone(f"module:{tiny_file}:other_weights", device="cpu"),
        oodkit.load_backbone(f"module:{tiny_file}:tiny", image_size=24, device="cpu"),
    ):
        with pytest.raises(InvalidInput, match="is not the backbone that the detector was fitted with"):
            oodkit.Detector.load(saved, backbone=other)


def test_a_folder_does_not_choose_what_code_is_run(saved, tiny_file):
    """A backbone in a Python file is named by who loads; the file is not run before."""
    tiny_file.with_name("ran").unlink(missing_ok=True)
    text = tiny_file.read_text()
    tiny_file.write_text(text + "\nfrom pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    try:
        with pytest.raises(InvalidInput, match="which is Python code"):
            oodkit.Detector.load(saved)
        assert not tiny_file.with_name("ran").exists()
    finally:
        tiny_file.write_text(text)


def test_an_input_size_of_ones_own_comes_back(many_photos, tiny_name, tmp_path, photograph):
    """The backbone is loaded with the preprocessing that it had."""
    backbone = oodkit.load_backbone(tiny_name, image_size=18, device="cpu")
    detector = oodkit.Detector(backbone).fit(many_photos).calibrate(fpr=0.2)
    detector.save(tmp_path / "d")
    loaded = oodkit.Detector.load(tmp_path / "d", backbone=tiny_name, device="cpu")
    assert loaded.backbone.image_size == 18
    same(detector, loaded, [photograph(1)])


def test_other_library_versions_are_said(saved, monkeypatch, tiny_name):
    """A line for each."""
    versions = oodkit.evaluation.versions.library_versions()
    monkeypatch.setattr("oodkit.detector.folder.library_versions", lambda: {**versions, "pillow": "0.1"})
    (note,) = oodkit.Detector.load(saved, backbone=tiny_name).notes
    assert note.startswith(f"fitted with pillow {versions['pillow']}, here is 0.1")


def test_a_folder_with_other_things_is_not_overwritten(saved, many_photos, tiny_name, tmp_path):
    """A detector is replaced whole; photographs, a file, or a detector with a file beside it stay."""
    detector = oodkit.Detector(tiny_name, "kernel").fit(many_photos)
    detector.save(saved)
    assert oodkit.Detector.load(saved, backbone=tiny_name).calibration is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["detector", "many"]
    with pytest.raises(InvalidInput, match="holds other things"):
        detector.save(many_photos)
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match=r"notes\.txt, which is no part"):
        detector.save(saved)
    assert (saved / "notes.txt").read_text() == "mine"
    with pytest.raises(InvalidInput, match="is a file"):
        detector.save(many_photos / "000.png")


def test_the_card_says_what_a_user_must_know(saved):
    """Backbone, scorer, images, versions, threshold and the guarantee."""
    card = (saved / "card.md").read_text()
    for words in ("tiny", "KNN()", "80 images", "torch", "at most 10 % of images like these", "n = 20", "new camera"):
        assert words in card


def test_what_cannot_be_saved_says_so(many_photos, tiny_name, tmp_path):
    """A scorer that holds more than numbers; nothing is left behind."""
    detector = oodkit.Detector(tiny_name, "sklearn:IsolationForest", random_state=0).fit(many_photos)
    with pytest.raises(InvalidInput, match="cannot be saved"):
        detector.save(tmp_path / "d")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many"]
