"""What every backbone does."""

import pytest
import torch

from oodkit.backbones import load_backbone
from oodkit.errors import InvalidInput


def test_embed_images_is_preprocess_then_embed_pixels(tiny_name, photograph):
    """The one-step and the two-step way give the same features."""
    backbone = load_backbone(tiny_name, device="cpu")
    images = [photograph(i) for i in range(3)]
    pixels = torch.stack([backbone.preprocess(image) for image in images])
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    torch.testing.assert_close(backbone.embed_images(images), backbone.embed_pixels(pixels))


def test_features_are_differentiable_with_respect_to_pixels(tiny_name):
    """Gradients reach the pixels, and the weights are frozen."""
    backbone = load_backbone(tiny_name, device="cpu")
    pixels = torch.rand(2, 3, 16, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(backbone.embed_pixels(pixels).sum(), pixels)
    assert slope.abs().sum() > 0


def test_features_are_differentiable_after_images_were_embedded(tiny_name, photograph):
    """Weights that are loaded to embed images, without gradients, can be part of one later."""
    backbone = load_backbone(tiny_name, device="cpu")
    backbone.embed_images([photograph(0)])
    pixels = torch.rand(2, 3, 16, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(backbone.embed_pixels(pixels).sum(), pixels)
    assert slope.abs().sum() > 0


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_is_close_and_comes_out_as_float32(tiny_name, photograph, precision):
    """Weights and activations are cast; features are float32 and near the exact ones."""
    images = [photograph(i) for i in range(4)]
    exact = load_backbone(tiny_name, device="cpu").embed_images(images)
    rough = load_backbone(tiny_name, device="cpu", precision=precision).embed_images(images)
    assert rough.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(rough, exact).min() > 0.999
    assert not torch.equal(rough, exact)


def test_an_unknown_precision_is_refused(tiny_name):
    """The message lists those there are."""
    with pytest.raises(InvalidInput, match="fp32, bf16, fp16, got 'fp8'"):
        load_backbone(tiny_name, precision="fp8", device="cpu")


def test_capabilities_that_are_missing_are_named(tiny_name):
    """Without a text tower, text is a clear error."""
    backbone = load_backbone(tiny_name, device="cpu")
    with pytest.raises(InvalidInput, match="no text tower"):
        backbone.embed_text(["a cat"])
    with pytest.raises(InvalidInput, match="no image-text projection"):
        backbone.project(torch.zeros(1, 48))
