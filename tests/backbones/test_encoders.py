"""Encoders that oodkit trains itself."""

import json
from dataclasses import asdict

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from oodkit.backbones.encoders import BackboneSpec, ResNetSpec, Squeezed, ViTSpec, read_spec
from oodkit.errors import InvalidInput

TINY = ResNetSpec(layers=(1, 1, 1, 1), channels=(8, 8, 16, 16), stem="3x3", dim=5)


@pytest.mark.parametrize("spec", [TINY, ViTSpec(32, 2, 2, 4, 16, 0.1), BackboneSpec("timm:x", 64, None)])
def test_a_spec_can_be_written_and_read(spec):
    """Through JSON, where tuples become lists."""
    assert read_spec(json.loads(json.dumps(asdict(spec)))) == spec


@pytest.mark.parametrize("values", [{"kind": "mlp"}, {"kind": "vit", "width": 3, "colour": 1}, {}])
def test_other_values_describe_no_encoder(values):
    """One line."""
    with pytest.raises(InvalidInput, match="no encoder"):
        read_spec(values)


@pytest.mark.parametrize(("stem", "side"), [("3x3", 4), ("5x5", 1), ("7x7", 1)])
def test_stems_keep_or_halve_the_resolution(stem, side):
    """Four stages of an image of 32 px: 4 px are left where the stem keeps them, 1 px else."""
    net = ResNetSpec((1, 1, 1, 1), (8, 8, 16, 16), stem, 5).build().eval()

    assert net.forward_features(torch.zeros(1, 3, 32, 32)).shape[-1] == side
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_resnet18_has_the_size_that_is_known():
    """ResNet-18 for 32 px with 128 outputs: 11,168,832 parameters without, 65,664 in the last layer."""
    net = ResNetSpec((2, 2, 2, 2), (64, 128, 256, 512), "3x3", 128).build()

    assert sum(part.numel() for part in net.parameters()) == 11_168_832 + 512 * 128 + 128


def test_the_network_of_pairs_is_a_resnet34_of_elu():
    """36 normalisations, of which 3 are in shortcuts; ELU alone; six channels."""
    spec = ResNetSpec((3, 4, 6, 3), (64, 128, 256, 512), "3x3", 64, 6, "elu", "batch_statistics")
    net = spec.build()
    norms = [part for part in net.modules() if isinstance(part, nn.BatchNorm2d)]

    assert len(norms) == 36
    assert sum(part.track_running_stats for part in norms) == 3
    assert not any(isinstance(part, nn.ReLU) for part in net.modules())
    assert net.eval()(torch.zeros(2, 6, 32, 32)).shape == (2, 64)


def _moved(norm):
    """The largest change of an image's output in evaluation when the image beside it changes."""
    torch.manual_seed(0)
    net = ResNetSpec((1, 1, 1, 1), (8, 8, 16, 16), "3x3", 5, norm=norm).build().eval()
    images = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        return (net(images[:2])[0] - net(images[[0, 2]])[0]).abs().max().item()


def test_only_batch_statistics_let_images_depend_on_each_other():
    """The same image beside another one."""
    assert _moved("group") < 1e-6
    assert _moved("batch") < 1e-6
    assert _moved("batch_statistics") > 1e-3


def test_a_transformer_takes_smaller_crops():
    """Positions are interpolated; stochastic depth is off in evaluation."""
    net = ViTSpec(32, 2, 2, 4, 16, 0.5).build().eval()

    assert net(torch.zeros(2, 3, 8, 8)).shape == (2, 32)
    assert torch.equal(net(torch.ones(1, 3, 16, 16)), net(torch.ones(1, 3, 16, 16)))


def test_squeezed_images_are_enlarged_first():
    """Bicubic, to the size that the network was trained at."""
    pixels = torch.rand(1, 3, 8, 8)

    expected = interpolate(pixels, size=(16, 16), mode="bicubic", align_corners=False)
    assert torch.equal(Squeezed(nn.Identity(), 16)(pixels), expected)
