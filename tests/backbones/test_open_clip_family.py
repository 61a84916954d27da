"""open_clip backbones, on small models of its real classes with random weights."""

import json

import pytest
import torch

from oodkit.backbones import Capability, load_backbone
from oodkit.backbones.open_clip_family import check_activation
from oodkit.errors import UnknownName, WeightsError

open_clip = pytest.importorskip("open_clip")

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
TOWERS = {
    "tiny-vit": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "tiny-resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16},
    "tiny-convnext": {"image_size": 64, "timm_model_name": "convnext_atto", "timm_pool": "", "timm_proj": "linear"},
}


@pytest.fixture(scope="module")
def weights_of(tmp_path_factory):
    """`weights_of(model)`: a file with random weights of a small model, and the model itself."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("clip")
    for name, vision in TOWERS.items():
        (folder / f"{name}.json").write_text(json.dumps({"embed_dim": 24, "vision_cfg": vision, "text_cfg": TEXT}))
    open_clip.add_model_config(folder)

    def make(name):
        torch.manual_seed(0)
        model = open_clip.create_model(name).eval()
        if hasattr(model.visual, "attnpool"):
            model.visual.attnpool.positional_embedding.data.normal_()
        path = folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
        return path, model

    return make


@pytest.mark.parametrize(("name", "width"), [("tiny-vit", 64), ("tiny-resnet", 512), ("tiny-convnext", 320)])
def test_features_stop_before_the_projection(weights_of, photograph, name, width):
    """For every kind of tower the feature is pre-projection, and `project` leads exactly to encode_image."""
    path, model = weights_of(name)
    backbone = load_backbone(f"open_clip:{name}/{path}", device="cpu")
    image = photograph(2, 80, 70)
    features = backbone.embed_images([image])
    pixels = backbone.preprocessing.normalise(backbone.preprocess(image)[None])
    with torch.inference_mode():
        expected = model.encode_image(pixels)

    assert features.shape == (1, width)
    torch.testing.assert_close(backbone.project(features), expected, rtol=1e-4, atol=1e-5)


def test_texts_are_embedded(weights_of):
    """embed_text is the model's own text tower."""
    path, model = weights_of("tiny-vit")
    backbone = load_backbone(f"open_clip:tiny-vit/{path}", device="cpu")
    texts = ["a photo of a cat.", "a photo of a dog."]
    with torch.inference_mode():
        expected = model.encode_text(open_clip.tokenize(texts))
    torch.testing.assert_close(backbone.embed_text(texts), expected)
    assert backbone.capabilities == {Capability.PROJECT, Capability.EMBED_TEXT}


def test_the_text_tower_is_part_of_the_text_fingerprint(weights_of, tmp_path):
    """Two models with one image tower share image embeddings, but no text embeddings."""
    from safetensors.torch import load_file, save_file

    path, model = weights_of("tiny-vit")
    state = load_file(path)
    save_file({**state, "token_embedding.weight": state["token_embedding.weight"] + 1}, tmp_path / "other.safetensors")
    one = load_backbone(f"open_clip:tiny-vit/{path}", device="cpu")
    other = load_backbone(f"open_clip:tiny-vit/{tmp_path / 'other.safetensors'}", device="cpu")

    assert other.fingerprint == one.fingerprint
    assert other.text_fingerprint != one.text_fingerprint
    assert one.logit_scale == pytest.approx(model.logit_scale.exp().item())


def test_a_tag_is_required(weights_of):
    """Random weights are never used silently."""
    weights_of("tiny-vit")
    with pytest.raises(WeightsError, match="needs weights"):
        load_backbone("open_clip:tiny-vit", device="cpu")


def test_weights_of_another_architecture_are_refused(weights_of):
    """Loading is strict."""
    path, _ = weights_of("tiny-resnet")
    with pytest.raises(WeightsError, match="do not fit open_clip:tiny-vit"):
        load_backbone(f"open_clip:tiny-vit/{path}", device="cpu")


def test_quickgelu_mismatch_is_an_error():
    """OpenAI's weights need QuickGELU; the message names the model to use."""
    with pytest.raises(WeightsError, match="use open_clip:ViT-B-16-quickgelu/openai"):
        check_activation("ViT-B-16", "openai")
    with pytest.raises(WeightsError, match="use open_clip:ViT-B-32/laion2b_s34b_b79k"):
        check_activation("ViT-B-32-quickgelu", "laion2b_s34b_b79k")
    check_activation("ViT-B-16-quickgelu", "openai")
    check_activation("ViT-B-32", "laion2b_s34b_b79k")


@pytest.mark.parametrize(("name", "near"), [("ViT-B-23/openai", "ViT-B-32"), ("ViT-B-32/laion2b_s34b", "laion2b_s34b")])
def test_unknown_models_and_tags_name_the_nearest(name, near):
    """A typing error is answered with what was probably meant."""
    with pytest.raises(UnknownName, match=near):
        load_backbone(f"open_clip:{name}", device="cpu")


def test_mean_and_std_are_those_of_the_tag():
    """LAION's ViT-L-14 was trained with mean and std one half, the others with OpenAI's constants."""
    half = open_clip.get_pretrained_cfg("ViT-L-14", "laion2b_s32b_b82k")
    assert tuple(half["mean"]) == (0.5, 0.5, 0.5)
    assert tuple(open_clip.get_pretrained_cfg("ViT-B-32", "laion2b_s34b_b79k")["mean"]) != (0.5, 0.5, 0.5)
