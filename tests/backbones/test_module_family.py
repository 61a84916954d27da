"""Bring your own module."""

import pytest
import torch
from torch import nn

from oodkit.backbones import Backbone, from_module, load_backbone
from oodkit.errors import DataNotFound, InvalidInput, UnknownName, WeightsError

CONSTANTS = {"image_size": 8, "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}


def flat_net() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 3))


def test_a_factory_in_a_file(tiny_file, photograph):
    """module:FILE.py:FACTORY gives the features before the classifier that the factory names."""
    backbone = load_backbone(f"module:{tiny_file}:tiny", device="cpu")
    features = backbone.embed_images([photograph(0), photograph(1)])
    assert features.shape == (2, 48)
    assert backbone.classifier(features).shape == (2, 5)


def test_the_same_weights_have_the_same_fingerprint_and_others_another(tiny_file, tmp_path):
    """The fingerprint follows weights and code, not the name or place of the file."""
    copy = tmp_path / "renamed.py"
    copy.write_text(tiny_file.read_text())
    first = load_backbone(f"module:{tiny_file}:tiny", device="cpu")
    assert load_backbone(f"module:{copy}:tiny", device="cpu").fingerprint == first.fingerprint
    assert load_backbone(f"module:{tiny_file}:other_weights", device="cpu").fingerprint != first.fingerprint
    assert load_backbone(f"module:{tiny_file}:tiny", image_size=24, device="cpu").fingerprint != first.fingerprint


def test_changed_code_changes_the_fingerprint(tiny_file, tmp_path):
    """The same weights under another activation are another backbone."""
    other = tmp_path / "tiny_network.py"
    other.write_text(tiny_file.read_text().replace("torch.relu", "torch.tanh"))
    one = load_backbone(f"module:{tiny_file}:tiny", device="cpu")
    assert load_backbone(f"module:{other}:tiny", device="cpu").fingerprint != one.fingerprint


def test_a_state_dict_is_loaded_strictly(tmp_path):
    """Weights come from a file and must fit."""
    path = tmp_path / "weights.pth"
    net = flat_net()
    torch.save(net.state_dict(), path)
    network = from_module(flat_net(), **CONSTANTS, state_dict=path)
    assert torch.equal(network.module[1].weight, net[1].weight)
    with pytest.raises(WeightsError, match="do not fit Linear"):
        from_module(nn.Linear(2, 2), **CONSTANTS, state_dict=path)


def test_from_module_in_python():
    """`Backbone.of` makes a backbone of a network; without `classifier` the module's output is the feature."""
    backbone = Backbone.of("mine", from_module(flat_net(), **CONSTANTS), device="cpu")
    assert backbone.dim == 3
    with pytest.raises(InvalidInput, match="mine has no classifier"):
        _ = backbone.classifier


def test_an_unknown_classifier_names_the_linear_layers():
    """The message lists what could have been meant."""
    with pytest.raises(InvalidInput, match="no linear layer 'fc' in the module; it has: 1, 3"):
        from_module(flat_net(), **CONSTANTS, classifier="fc")


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("module:nowhere.py:make", DataNotFound, "no file nowhere.py"),
        ("module:nowhere.py", InvalidInput, "write module:FILE.py:FACTORY"),
        ("module:{file}:tinny", UnknownName, "it has: tiny"),
        ("module:{file}:Tiny", InvalidInput, "must return oodkit.backbones.from_module"),
    ],
)
def test_what_cannot_be_loaded(tiny_file, target, error, message):
    """Each mistake in the name is one clear line."""
    with pytest.raises(error, match=message):
        load_backbone(target.format(file=tiny_file), device="cpu")


def test_mean_and_std_need_three_numbers():
    """Grey-scale constants are refused."""
    with pytest.raises(InvalidInput, match="three numbers"):
        from_module(flat_net(), image_size=8, mean=[0.5], std=[0.5])
