"""Settings and presets."""

from dataclasses import replace

import pytest

from oodkit.backbones.encoders import BackboneSpec, ViTSpec
from oodkit.errors import InvalidInput, UnknownName
from oodkit.training.presets import PRESETS, preset
from oodkit.training.settings import changed, from_backbone, with_image_size


@pytest.mark.parametrize(("method", "name"), [(method, name) for method in PRESETS for name in PRESETS[method]])
def test_presets_can_be_trained(method, name):
    """Every preset passes its own checks."""
    preset(method, name).check(with_aux=False)


def test_the_paper_of_self_distillation():
    """What the released command and its defaults say; the peak rate is 0.004 x 128 / 256."""
    paper = preset("selfdistill", "paper")

    assert (paper.encoder.width, paper.encoder.depth, paper.encoder.heads, paper.encoder.patch) == (384, 12, 6, 16)
    assert (paper.epochs, paper.batch, paper.warm_up, paper.outputs) == (500, 128, 30, 4096)
    assert (paper.source_size, paper.enlarged, paper.local_size) == (32, 256, 128)
    assert paper.teacher_temperatures == (0.04, 0.01)


def test_the_paper_of_semsad():
    """ResNet-18, then ResNet-34 with six channels and ELU, 64 outputs."""
    paper = preset("semsad", "paper")

    assert (paper.epochs, paper.batch, paper.learning_rate, paper.temperature) == (1500, 2048, 3e-4, 0.5)
    assert (paper.discriminator.layers, paper.discriminator.act, paper.discriminator.dim) == ((3, 4, 6, 3), "elu", 64)
    assert (paper.discriminator_epochs, paper.pool, paper.semantic_share) == (701, 10_000, 0.03125)


def test_values_are_replaced_by_name():
    """Lists become tuples; null is no pool."""
    made = changed(preset("semsad", "paper"), {"pool": None, "rate_steps": [[3, 0.1]], "epochs": 2})

    assert (made.pool, made.rate_steps, made.epochs) == (None, ((3, 0.1),), 2)


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ({"epoch": 3}, UnknownName, "did you mean 'epochs'"),
        ({"epochs": "many"}, InvalidInput, "epochs must be of the kind of 8, got 'many'"),
        ({"encoder": "vit"}, UnknownName, "no setting named 'encoder'"),
    ],
)
def test_values_that_cannot_be(values, error, match):
    """One line each."""
    with pytest.raises(error, match=match):
        changed(preset("selfdistill", "small"), values)


@pytest.mark.parametrize(
    ("method", "values", "match"),
    [
        ("selfdistill", {"shift": "none"}, "leaves no negatives"),
        ("selfdistill", {"epochs": 0}, "epochs must be"),
        ("semsad", {"semantic_share": 2.0}, "semantic_share must be"),
        ("semsad", {"batch": 1}, "batch must be"),
    ],
)
def test_settings_that_cannot_work(method, values, match):
    """Refused before anything is read."""
    with pytest.raises(InvalidInput, match=match):
        replace(preset(method, "small"), **values).check(with_aux=False)


def test_crops_must_fit_the_patches():
    """30 px and 15 px are no multiples of 4."""
    settings = replace(preset("selfdistill", "small"), encoder=ViTSpec(32, 2, 2, 4, 32))
    with pytest.raises(InvalidInput, match="patches of 4 px"):
        with_image_size(settings, 30).check(with_aux=False)


def test_semsad_takes_no_auxiliary_set():
    """Its negatives are other in-images."""
    with pytest.raises(InvalidInput, match="takes no auxiliary set"):
        preset("semsad", "small").check(with_aux=True)


def test_another_image_size_reaches_the_network():
    """Positions are learnt for it, and local crops have half of it; enlarged images stay so large."""
    small = with_image_size(replace(preset("selfdistill", "small"), encoder=ViTSpec(32, 2, 2, 4, 32)), 64)
    paper = with_image_size(preset("selfdistill", "paper"), 64)

    assert (small.encoder.input_size, small.global_size, small.local_size) == (64, 64, 32)
    assert (paper.encoder.input_size, paper.source_size, paper.global_size) == (256, 64, 256)


def test_a_backbone_takes_the_place_of_the_network():
    """At its own size, which nothing enlarges."""
    made = from_backbone(preset("selfdistill", "paper"), "timm:x", 224, None)

    assert made.encoder == BackboneSpec("timm:x", 224)
    assert (made.source_size, made.enlarged, made.local_size) == (224, None, 112)
