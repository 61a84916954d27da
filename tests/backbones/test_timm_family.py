"""timm backbones, with random weights saved to a file."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from oodkit.backbones import load_backbone
from oodkit.errors import UnknownName, WeightsError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """`saved(model)`: a file with random weights and the model they belong to."""

    def make(model):
        torch.manual_seed(0)
        net = timm.create_model(model).eval()
        path = tmp_path_factory.mktemp("timm") / f"{model}.safetensors"
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, path)
        return path, net

    return make


@pytest.mark.parametrize("model", ["resnet10t", "vit_tiny_patch16_224", "convnext_atto"])
def test_features_come_before_the_classifier(saved, photograph, model):
    """Features are timm's own pre-logits; the classifier on top gives the whole network's logits."""
    path, net = saved(model)
    backbone = load_backbone(f"timm:{model}/{path}", device="cpu")
    image = photograph(4, 240, 230)
    pixels = backbone.preprocessing.normalise(backbone.preprocess(image)[None])
    with torch.inference_mode():
        pre_logits, logits = net.forward_head(net.forward_features(pixels), pre_logits=True), net(pixels)
    features = backbone.embed_images([image])
    torch.testing.assert_close(features, pre_logits, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(backbone.classifier(features), logits, rtol=1e-3, atol=1e-4)


def test_image_size_of_a_convolutional_net(saved):
    """A net without fixed input takes any size."""
    path, _ = saved("resnet10t")
    assert load_backbone(f"timm:resnet10t/{path}", image_size=64, device="cpu").image_size == 64


def test_preprocessing_is_the_model_s_own():
    """Size, crop share, interpolation, mean and std come from timm's configuration."""
    from oodkit.backbones.timm_family import _preprocessing

    own = _preprocessing(timm.get_pretrained_cfg("vit_base_patch16_224.augreg_in21k").to_dict())
    assert (own.size, own.resize, own.interpolation, own.mean) == (224, 248, "bicubic", (0.5, 0.5, 0.5))


def test_weights_of_another_model_are_refused(saved):
    """Loading is strict."""
    path, _ = saved("resnet10t")
    with pytest.raises(WeightsError, match="do not fit timm:convnext_atto"):
        load_backbone(f"timm:convnext_atto/{path}", device="cpu")


def test_unknown_models_and_tags_name_the_nearest():
    """A typing error is answered with what was probably meant."""
    with pytest.raises(UnknownName, match="resnet50"):
        load_backbone("timm:resnet5O", device="cpu")
    with pytest.raises(UnknownName, match=r"resnet50\.\w+_in1k"):
        load_backbone("timm:resnet50.a9_in1k", device="cpu")


def test_a_model_without_weights_says_so():
    """Random weights are never used silently."""
    with pytest.raises(WeightsError, match="timm has no weights for 'resnet200'"):
        load_backbone("timm:resnet200", device="cpu")
