"""Sets of attacked images on disk."""

import json

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.attacks import create_attack
from oodkit.attacks.ball import LInf
from oodkit.embedding import embed
from oodkit.errors import InvalidInput
from oodkit.robustness import make_attack_set
from oodkit.robustness.targets import draw_targets

BALL = LInf(8 / 255)


def test_saved_images_score_as_reported(detector, noise_folder, tmp_path):
    """The PNGs, read as a data set, have the scores, and the distances, of the manifest; all scores rose."""
    images = oodkit.load_dataset(str(noise_folder))
    made = make_attack_set(detector, images, create_attack("pgd", BALL, steps=10), tmp_path / "set")

    again = oodkit.load_dataset(str(tmp_path / "set"))
    np.testing.assert_allclose(detector.score(again), [line["after"] for line in made.images], atol=1e-6)
    np.testing.assert_allclose(detector.score(images), [line["before"] for line in made.images], atol=1e-6)
    assert all(line["after"] > line["before"] for line in made.images)
    for line in made.images:
        clean = detector.backbone.preprocess(images.open(list(images.ids).index(line["source"]))).permute(1, 2, 0) * 255
        moved = np.asarray(Image.open(tmp_path / "set" / line["file"]), dtype=float)
        assert np.abs(moved - clean.round().numpy()).max() == pytest.approx(255 * line["linf"], abs=1e-3)
        assert line["linf"] <= 8 / 255 + 1e-6
    assert made.sheet == tmp_path / "set_contact_sheet.png"
    assert Image.open(made.sheet).size[0] > 300


def test_a_set_that_was_broken_off_goes_on(detector, noise_folder, tmp_path):
    """With half the lines, a torn one and a lost picture, the result is that of a run in one go."""
    images = oodkit.load_dataset(str(noise_folder))
    attack = create_attack("pgd", BALL, steps=5, restarts=2)
    whole = make_attack_set(detector, images, attack, tmp_path / "whole", batch_size=3)

    make_attack_set(detector, images, attack, tmp_path / "parts", batch_size=2)
    manifest = tmp_path / "parts" / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:5]) + lines[5][:20])
    (tmp_path / "parts" / json.loads(lines[2])["file"]).unlink()
    resumed = make_attack_set(detector, images, attack, tmp_path / "parts", batch_size=4)

    assert [line["source"] for line in resumed.images] == [line["source"] for line in whole.images]
    for one, other in zip(resumed.images, whole.images, strict=True):
        first, second = (np.asarray(Image.open(tmp_path / f / one["file"]), dtype=int) for f in ("parts", "whole"))
        assert np.abs(first - second).max() <= 1
        assert one["after"] == pytest.approx(other["after"], abs=1e-4)
    on_disk = [json.loads(line)["source"] for line in manifest.read_text().splitlines()[1:]]
    assert sorted(set(on_disk)) == sorted(map(str, images.ids))


def test_another_folder_is_left_alone(detector, noise_folder, tmp_path):
    """Foreign files, another attack's set, and a broken manifest are refused in one line."""
    images = oodkit.load_dataset(str(noise_folder))
    attack = create_attack("fgsm", BALL)
    with pytest.raises(InvalidInput, match="holds other files"):
        make_attack_set(detector, images, attack, noise_folder)
    make_attack_set(detector, images, attack, tmp_path / "set")
    with pytest.raises(InvalidInput, match="made with another attack"):
        make_attack_set(detector, images, create_attack("fgsm", LInf(2 / 255)), tmp_path / "set")
    (tmp_path / "set" / "manifest.jsonl").write_text("nothing\n")
    with pytest.raises(InvalidInput, match="does not begin with its settings"):
        make_attack_set(detector, images, attack, tmp_path / "set")


def test_a_kill_before_the_first_line_leaves_the_folder_usable(detector, noise_folder, tmp_path):
    """Part of a manifest under its temporary name is no foreign file."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".manifest.jsonl.0123.partial").write_text('{"sett')
    made = make_attack_set(
        detector, oodkit.load_dataset(str(noise_folder)), create_attack("fgsm", BALL), tmp_path / "set"
    )
    assert len(made.images) == 8


def test_in_images_can_be_pushed_out(detector, photo_folder, tmp_path):
    """in2out lowers scores."""
    images = oodkit.load_dataset(f"{photo_folder}:test")
    made = make_attack_set(detector, images, create_attack("pgd", BALL, steps=5), tmp_path / "set", direction="in2out")

    assert np.mean([line["after"] - line["before"] for line in made.images]) < 0


def test_features_are_moved_to_those_of_targets(detector, noise_folder, photo_folder, tmp_path):
    """feature_matching raises the 1-NN score of a bank that holds its targets, which the manifest names."""
    images = oodkit.load_dataset(str(noise_folder))
    train = embed(oodkit.load_dataset(f"{photo_folder}:train"), detector.backbone)
    targets, others = draw_targets(train, images, seed=0)

    made = make_attack_set(
        detector,
        images,
        create_attack("feature_matching", steps=40, learning_rate=1e-2),
        tmp_path / "set",
        targets=targets,
    )

    again = make_attack_set(
        detector,
        images,
        create_attack("feature_matching", steps=40, learning_rate=1e-2),
        tmp_path / "set",
        targets=targets,
    )
    assert again.images == made.images
    with pytest.raises(InvalidInput, match="in-distribution targets, which is out2in, not 'in2out'"):
        make_attack_set(
            detector,
            images,
            create_attack("feature_matching"),
            tmp_path / "other",
            direction="in2out",
            targets=targets,
        )

    assert len(targets.names) == 8
    assert (~others).sum() == len(set(targets.names))
    assert made.settings["targets"] == list(targets.names)
    assert np.mean([line["after"] - line["before"] for line in made.images]) > 0


def test_a_backbone_that_enlarges_its_own_size_is_refused(noise_folder, tmp_path):
    """The message says which size to name."""
    detector = oodkit.Detector("efficientnet_lite0", "knn")
    with pytest.raises(InvalidInput, match=r"enlarges and crops.*--image-size 224"):
        make_attack_set(detector, oodkit.load_dataset(str(noise_folder)), create_attack("fgsm"), tmp_path / "set")
