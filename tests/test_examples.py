"""The programs in examples/ as a user would bring them, with random weights; test_real_images has the real ones."""

import importlib.util
from pathlib import Path
from types import ModuleType

import torch
from PIL import Image
from safetensors.torch import save_file

import oodkit
from oodkit.backbones import Capability

EXAMPLES = Path(__file__).parents[1] / "examples"


def code_of(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return code


def test_the_clip_has_both_towers(tmp_path, monkeypatch):
    """Its state dict loads strictly; images and texts meet in 64 dimensions, and a text's embedding is its own."""
    code = code_of("cifar_clip")
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(value.shape, generator=generator) / 8 for name, value in code.Clip().state_dict().items()
    }
    save_file(weights, tmp_path / "clip_cifar10_char.safetensors")
    monkeypatch.setenv("OODKIT_WEIGHTS", str(tmp_path))

    backbone = oodkit.load_backbone(f"module:{EXAMPLES / 'cifar_clip.py'}:clip", device="cpu")

    assert backbone.capabilities == {Capability.PROJECT, Capability.EMBED_TEXT}
    images = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    assert backbone.project(backbone.embed_images(images)).shape == (2, 64)
    texts = ["a", "An image of automobile", "a text that is longer than the thirty-two bytes of the tower"]
    together = backbone.embed_text(texts)
    assert together.shape == (3, 64)
    torch.testing.assert_close(torch.cat([backbone.embed_text([text]) for text in texts]), together)
    assert code.tokens_of(["ab"])[0, :5].tolist() == [2, 97, 98, 3, 0]


def test_the_densenet_has_a_classifier_over_342_features(tmp_path, monkeypatch):
    """It is taken off, so that its input is the feature."""
    state = code_of("cifar_densenet").DenseNet(10).state_dict()
    weights = {name: value for name, value in state.items() if value.is_floating_point()}
    save_file(weights, tmp_path / "densenet100_cifar10.safetensors")
    monkeypatch.setenv("OODKIT_WEIGHTS", str(tmp_path))

    backbone = oodkit.load_backbone(f"module:{EXAMPLES / 'cifar_densenet.py'}:cifar10", device="cpu")

    assert backbone.dim == 342
    assert backbone.classifier.out_features == 10
