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


class Scale(nn.Module):
    """Mean colour times a number that no state dict holds."""

    def __init__(self, factor, buffer=0.0):
        super().__init__()
        self.factor = factor
        self.register_buffer("offset", torch.tensor(buffer), persistent=False)

    def forward(self, pixels):
        return pixels.mean(dim=(2, 3)) * self.factor + self.offset


def test_what_a_state_dict_leaves_out_is_part_of_the_fingerprint():
    """Plain attributes and buffers that are not persistent change what is computed."""
    prints = {
        Backbone.of("x", from_module(Scale(*arguments), **CONSTANTS), device="cpu").fingerprint
        for arguments in [(1.0,), (2.0,), (1.0, 3.0)]
    }
    assert len(prints) == 3


def test_two_factories_of_one_file_are_two_backbones(tiny_file):
    """Even where weights and layers are the same, what a factory does is not seen, so its name counts."""
    same = tiny_file.with_name("two.py")
    same.write_text(tiny_file.read_text() + "\n\ndef again():\n    return tiny()\n")
    one, two = (load_backbone(f"module:{same}:{name}", device="cpu") for name in ("tiny", "again"))
    assert one.fingerprint != two.fingerprint


def test_the_caller_s_module_is_left_alone():
    """Neither frozen nor cast; and what happens to it later does not reach the backbone."""
    net = flat_net().train()
    network = from_module(net, **CONSTANTS)
    half = Backbone.of("half", network, device="cpu", precision="bf16")
    full = Backbone.of("full", network, device="cpu")
    pixels = torch.rand(2, 3, 8, 8)
    half.embed_pixels(pixels)
    before = full.embed_pixels(pixels)
    with torch.no_grad():
        net[1].weight.fill_(0)
        network.module[1].weight.fill_(0)
    assert torch.equal(full.embed_pixels(pixels), before)
    assert net.training
    assert net[1].weight.dtype == torch.float32
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def make(:", "fails with SyntaxError"),
        ("import no_such_module_here", "fails with ModuleNotFoundError"),
        ("def make(size):\n    return None", "fails with TypeError"),
    ],
)
def test_a_user_s_code_that_fails_is_one_line(tmp_path, code, message):
    """What was raised, where, and how to see more."""
    file = tmp_path / "broken.py"
    file.write_text(code)
    with pytest.raises(InvalidInput, match=message) as caught:
        load_backbone(f"module:{file}:make", device="cpu")
    assert "\n" not in str(caught.value)


class TwoTowers(nn.Module):
    """An image tower with a way to a joint space, and a text tower."""

    def __init__(self):
        super().__init__()
        self.to_joint = nn.Linear(3, 2)

    def forward(self, pixels):
        return pixels.mean(dim=(2, 3))

    def encode_text(self, texts):
        return self.to_joint(torch.tensor([[float(len(text))] * 3 for text in texts]))


def test_a_module_may_lead_to_a_joint_space_with_texts():
    """`project` names a method or layer, `encode_text` a method; both compute in float32 whatever the precision."""
    net = TwoTowers()
    network = from_module(net, **CONSTANTS, project="to_joint", encode_text="encode_text", logit_scale=20.0)
    for precision in ("fp32", "bf16"):
        backbone = Backbone.of("clip", network, device="cpu", precision=precision)
        features = backbone.embed_pixels(torch.rand(4, 3, 8, 8))

        assert {c.value for c in backbone.capabilities} == {"project", "embed_text"}
        torch.testing.assert_close(backbone.project(features), net.to_joint(features))
        torch.testing.assert_close(backbone.embed_text(["cat", "zebra"]), net.encode_text(["cat", "zebra"]))
        assert backbone.logit_scale == 20
        assert backbone.text_fingerprint == backbone.fingerprint


def test_another_text_method_is_another_backbone():
    """The names of the methods are part of the fingerprint; without them nothing changes."""
    plain, named = from_module(TwoTowers(), **CONSTANTS), from_module(TwoTowers(), **CONSTANTS, encode_text="forward")
    other = from_module(TwoTowers(), **CONSTANTS, encode_text="encode_text")

    assert len({plain.architecture, named.architecture, other.architecture}) == 3
    assert Backbone.of("plain", plain, device="cpu").capabilities == frozenset()
    assert Backbone.of("plain", plain, device="cpu").logit_scale is None


def test_methods_that_are_not_there_are_named():
    """One line."""
    with pytest.raises(InvalidInput, match="the module TwoTowers has no method or layer 'embed'"):
        from_module(TwoTowers(), **CONSTANTS, encode_text="embed")
