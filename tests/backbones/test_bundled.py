"""The bundled EfficientNet-Lite0."""

import timm
import torch

from oodkit.backbones import Capability, load_backbone
from oodkit.backbones.bundled import SHA256, timm_key, weights_path
from oodkit.backbones.fingerprint import file_digest


def test_the_weights_are_the_published_file():
    """The installed file has the published hash."""
    assert file_digest(weights_path()) == SHA256


def test_every_key_finds_its_place():
    """The key map is one to one onto timm's tf_efficientnet_lite0, shapes included."""
    published = torch.load(weights_path(), map_location="cpu", weights_only=True)
    mapped = {timm_key(key): value.shape for key, value in published.items()}
    own = {key: value.shape for key, value in timm.create_model("tf_efficientnet_lite0").state_dict().items()}
    assert mapped == own


def test_features_are_pooled_and_lead_to_the_classifier(photograph):
    """1280 features before the classifier; classifier(features) are the logits of the whole network."""
    backbone = load_backbone("efficientnet_lite0", image_size=64, device="cpu")
    image = photograph(5, 90, 70)
    features = backbone.embed_images([image])
    whole = timm.create_model("tf_efficientnet_lite0").eval()
    published = torch.load(weights_path(), map_location="cpu", weights_only=True)
    whole.load_state_dict({timm_key(key): value for key, value in published.items()})
    with torch.inference_mode():
        expected = whole((backbone.preprocess(image)[None] - 0.5) / 0.5)

    assert features.shape == (1, 1280)
    assert backbone.dim == 1280
    assert Capability.CLASSIFIER in backbone.capabilities
    torch.testing.assert_close(backbone.classifier(features), expected, rtol=1e-4, atol=1e-4)


def test_its_own_preprocessing():
    """Short side 256, centre 224, mean and std one half."""
    preprocessing = load_backbone("efficientnet_lite0").preprocessing
    assert (preprocessing.size, preprocessing.resize, preprocessing.mean) == (224, 256, (0.5, 0.5, 0.5))


def test_it_knows_a_daisy_from_a_temple(photograph):
    """On two real photographs the classifier names plausible ImageNet classes: the weights are in the right places."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    backbone = load_backbone("efficientnet_lite0", device="cpu")
    images = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    logits = backbone.classifier(backbone.embed_images(images))
    palace_like = {698, 663, 832, 449, 536}  # palace, monastery, stupa, boathouse, dock
    assert set(logits[0].topk(5).indices.tolist()) & palace_like
    flower_like = {985, 723, 944, 945, 947, 309, 308, 323}  # daisy, pinwheel and what else is bright and round
    assert set(logits[1].topk(5).indices.tolist()) & flower_like
