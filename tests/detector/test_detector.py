"""The detector over images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import oodkit
from oodkit.errors import DataNotFound, InvalidInput, UnknownName, UnreadableImage
from oodkit.scorers import KNN


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)) for _ in range(4)]


def test_photographs_score_above_noise(photo_folder, tiny_name, photograph, noise):
    """Fitted on photographs, it finds other photographs more in-distribution than noise."""
    detector = oodkit.Detector(tiny_name, "knn").fit(str(photo_folder / "train"))
    photos = detector.score([photograph(500 + i) for i in range(4)])
    assert photos.dtype == np.float64
    assert photos.min() > detector.score(noise).max()


def test_paths_pillow_images_and_sets_give_the_same_scores(photo_folder, tiny_name):
    """However the images are handed over."""
    detector = oodkit.Detector(tiny_name, KNN(k=2)).fit(f"{photo_folder}:train")
    images = oodkit.load_dataset(f"{photo_folder}:test")
    expected = detector.score(images)
    paths = [images.path(i) for i in range(len(images))]
    np.testing.assert_array_equal(detector.score(paths), expected)
    np.testing.assert_array_equal(detector.score([Image.open(path) for path in paths]), expected)
    arrays = np.stack([np.asarray(Image.open(path)) for path in paths])
    np.testing.assert_array_equal(detector.score(arrays), expected)
    np.testing.assert_array_equal(detector.score(torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 255), expected)
    np.testing.assert_allclose(detector.score(paths[0]), expected[:1], atol=1e-6)
    np.testing.assert_allclose(detector.score(Image.open(paths[3])), expected[3:4], atol=1e-6)


def test_labels_reach_scorers_that_use_them(photo_folder, tiny_name):
    """Classes come from the image set, or are given beside a list of paths."""
    detector = oodkit.Detector(tiny_name, "mahalanobis", normalize=True).fit(f"{photo_folder}:train")
    assert detector.scorer.n_classes_ == 2
    images = oodkit.load_dataset(f"{photo_folder}:train")
    paths = [images.path(i) for i in range(len(images))]
    assert oodkit.Detector(tiny_name, "mahalanobis").fit(paths, labels=images.labels).scorer.n_classes_ == 2


def test_mistakes_are_one_line(tiny_name, tmp_path, photo_folder):
    """Unknown scorer, no images, not an image, a file that is gone."""
    with pytest.raises(UnknownName, match="knn"):
        oodkit.Detector(tiny_name, "knnn")
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder / "train"))
    with pytest.raises(DataNotFound, match="no images were given"):
        detector.score([])
    with pytest.raises(InvalidInput, match="item 0 must be a path, a Pillow image, an array or a tensor, got int"):
        detector.score([3])
    with pytest.raises(UnreadableImage, match=r"gone\.png"):
        detector.score([tmp_path / "gone.png"])
    with pytest.raises(InvalidInput, match="fit"):
        oodkit.Detector(tiny_name).score(str(photo_folder / "train"))


def test_a_name_means_the_train_split_to_fit_and_the_test_split_to_score(photo_folder, tiny_name):
    """Fitting on a folder with splits does not see what is scored."""
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder))
    explicit = oodkit.Detector(tiny_name).fit(f"{photo_folder}:train")
    expected = explicit.score(f"{photo_folder}:test")
    np.testing.assert_array_equal(detector.score(str(photo_folder)), expected)
    assert expected.max() < 0.99999


@pytest.mark.filterwarnings("ignore:new images are unlike")
def test_an_opened_image_is_turned_upright_like_its_file(photo_folder, tiny_name, tmp_path, photograph):
    """EXIF orientation counts for Pillow images too; a truncated one is an unreadable image."""
    image, exif = photograph(3, 200, 150), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder))
    by_path = detector.score(tmp_path / "turned.jpg")
    np.testing.assert_allclose(detector.score(Image.open(tmp_path / "turned.jpg")), by_path, atol=1e-6)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "turned.jpg").read_bytes()[:-2000])
    with pytest.raises(UnreadableImage, match="image 0"):
        detector.score([Image.open(tmp_path / "cut.jpg")])


@pytest.fixture
def towers():
    """`towers(factory)`: a small network with the parts that the factory names."""
    file = Path(__file__).parents[1] / "evaluation" / "towers.py"
    return lambda factory: oodkit.load_backbone(f"module:{file}:{factory}", device="cpu")


def test_a_scorer_of_logits_gets_those_of_the_classifier(photo_folder, towers, photograph):
    """Which has as many classes as the folder; by hand, its largest logit."""
    backbone, images = towers("two_classes"), [photograph(700 + i) for i in range(5)]
    detector = oodkit.Detector(backbone, "max_logit").fit(f"{photo_folder}:train")
    expected = backbone.classifier(backbone.embed_images(images)).max(dim=1).values.numpy()
    np.testing.assert_allclose(detector.score(images), expected, rtol=1e-5)


def test_a_head_may_be_given(photo_folder, towers, photograph):
    """By name, as a layer or as weight and bias."""
    backbone, images = towers("five_classes"), [photograph(700 + i) for i in range(5)]
    weight, bias = np.eye(2, 6), np.ones(2)
    layer = nn.Linear(6, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))
    features = backbone.embed_images(images).numpy()
    by_hand = {
        "backbone": backbone.classifier.weight.numpy(),
        layer: weight,
        (tuple(map(tuple, weight)), (1, 1)): weight,
    }
    for head, matrix in by_hand.items():
        shift = 0 if head == "backbone" else 1
        detector = oodkit.Detector(backbone, "max_logit").fit(f"{photo_folder}:train", head=head)
        expected = (features @ matrix.T + shift).max(axis=1)
        np.testing.assert_allclose(detector.score(images), expected, rtol=1e-5)


def test_labels_beside_paths_train_a_probe(photo_folder, tiny_name):
    """As the labels of a folder do."""
    images = oodkit.load_dataset(f"{photo_folder}:train")
    paths = [images.path(i) for i in range(len(images))]
    by_folder = oodkit.Detector(tiny_name, "vim", dim=5).fit(images)
    by_labels = oodkit.Detector(tiny_name, "vim", dim=5).fit(paths, labels=images.labels.tolist())
    np.testing.assert_array_equal(by_folder.score(paths[:3]), by_labels.score(paths[:3]))


def test_scorers_of_texts_get_them(photo_folder, towers, photograph):
    """Class names, captions and names of OOD classes, in the joint space."""
    backbone, images = towers("clip"), [photograph(700 + i) for i in range(5)]
    names = oodkit.Detector(backbone, "mcm").fit(str(photo_folder), class_names=["red", "blue"], prompts=["a {}"])
    captions = oodkit.Detector(backbone, "caption").fit(str(photo_folder), captions=["a red rose"])
    joint = backbone.project(backbone.embed_images(images)).numpy()
    text = backbone.embed_text(["a red rose"]).numpy()[0]
    cosines = joint @ text / np.linalg.norm(joint, axis=1) / np.linalg.norm(text)
    np.testing.assert_allclose(captions.score(images), cosines, atol=1e-5)
    assert names.score(images).shape == (5,)
    with_names = oodkit.Detector(backbone, "in_out_names").fit(str(photo_folder), out_names=["blue"])
    assert with_names.score(images).shape == (5,)


def test_what_a_scorer_lacks_is_said_before_anything_is_embedded(photo_folder, towers, monkeypatch):
    """In one line that names it and the arguments of fit."""
    monkeypatch.setattr("oodkit.detector.fitting.embed", lambda *_, **__: pytest.fail("an image was embedded"))
    flat = photo_folder / "train" / "a"
    for scorer, factory, message in [
        ("msp", "plain", "MSP cannot be fitted here: it needs a head: .* no labels to train a probe on"),
        ("relative_mahalanobis", "plain", "it needs class labels"),
        ("mcm", "plain", "image-text space"),
        ("mcm", "clip", "it needs class names"),
        ("caption", "clip", "it needs captions"),
    ]:
        with pytest.raises(InvalidInput, match=message) as caught:
            oodkit.Detector(towers(factory), scorer).fit(flat)
        assert "labels, clusters, head, class_names, captions, out_names and aux are arguments of fit" in str(
            caught.value
        )
        assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInput, match=r"labels must have shape \(10,\)"):
        oodkit.Detector(towers("plain"), "msp").fit(flat, labels=[0, 1])
    with pytest.raises(InvalidInput, match="names of the OOD classes"):
        oodkit.Detector(towers("clip"), "in_out_names").fit(str(photo_folder))


def test_a_scorer_that_was_fitted_elsewhere_scores_features(tiny_name, photograph):
    """Without a fit of the detector."""
    backbone = oodkit.load_backbone(tiny_name, device="cpu")
    images = [photograph(i) for i in range(4)]
    features = backbone.embed_images(images).numpy()
    knn = KNN().fit(features)
    np.testing.assert_allclose(oodkit.Detector(backbone, knn).score(images), np.ones(4), atol=1e-6)
