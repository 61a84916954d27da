"""Encoders of `oodkit train` as backbones."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import save_file

from oodkit.backbones import Preprocessing, load_backbone
from oodkit.backbones.encoders import ResNetSpec
from oodkit.errors import DataNotFound, InvalidInput, WeightsError

SPEC = ResNetSpec(layers=(1, 1, 1, 1), channels=(8, 8, 16, 16), stem="3x3", dim=5)
PREPROCESSING = Preprocessing(size=16, resize=16, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@pytest.fixture
def folder(tmp_path):
    """A folder as a finished training leaves it."""
    torch.manual_seed(0)
    save_file(SPEC.build().state_dict(), tmp_path / "encoder.safetensors")
    _card(tmp_path)
    return tmp_path


def _card(folder, spec=SPEC, enlarged=None):
    card = {"encoder": asdict(spec), "preprocessing": asdict(PREPROCESSING), "enlarged": enlarged}
    (folder / "card.json").write_text(json.dumps(card))


def test_the_folder_is_a_backbone(folder):
    """Features of the network that was saved, at its size, under the folder's name."""
    backbone = load_backbone(f"trained:{folder}")
    net = SPEC.build().eval()
    torch.manual_seed(0)
    expected = SPEC.build().eval()
    pixels = torch.rand(2, 3, 16, 16)

    assert backbone.name == f"trained:{folder}"
    assert (backbone.image_size, backbone.dim) == (16, 5)
    torch.testing.assert_close(backbone.embed_pixels(pixels), expected(pixels))
    assert not torch.allclose(backbone.embed_pixels(pixels), net(pixels))


def test_another_image_size_may_be_asked_for(folder):
    """As for any backbone; the fingerprint changes with it, and with what enlarges images."""
    plain = load_backbone(f"trained:{folder}")
    larger = load_backbone(f"trained:{folder}", image_size=24)
    _card(folder, enlarged=32)
    enlarged = load_backbone(f"trained:{folder}")

    assert larger.image_size == 24
    assert len({plain.fingerprint, larger.fingerprint, enlarged.fingerprint}) == 3


def test_what_is_not_finished_is_refused(tmp_path):
    """No card, one line."""
    with pytest.raises(DataNotFound, match=r"card\.json is missing"):
        load_backbone(f"trained:{tmp_path}")


def test_weights_of_another_network_are_refused(folder):
    """The card says one thing, the file another."""
    _card(folder, replace(SPEC, dim=7))

    with pytest.raises(WeightsError, match="of another shape"):
        load_backbone(f"trained:{folder}")


@pytest.mark.parametrize(("text", "error"), [("{", WeightsError), ("[]", WeightsError), ("{}", InvalidInput)])
def test_a_card_that_is_none_is_refused(folder, text, error):
    """One line each."""
    (folder / "card.json").write_text(text)

    with pytest.raises(error, match="train"):
        load_backbone(f"trained:{folder}")
