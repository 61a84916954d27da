"""Names of backbones that are wrong before any weights are looked for."""

import pytest

from oodkit.bench.backbone_names import check_backbone_name
from oodkit.errors import OodkitError


@pytest.mark.parametrize(
    "name",
    [
        "efficientnet_lite0",
        "timm:resnet50.tv_in1k",
        "timm:resnet50",
        "timm:a_new_model/weights.pth",
        "open_clip:ViT-B-32/laion2b_s34b_b79k",
        "open_clip:hf-hub:owner/name",
        "module:file.py:factory",
        "trained:folder",
    ],
)
def test_what_may_be_loaded_passes(name):
    """Files and hubs are looked at when they are loaded."""
    check_backbone_name(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("efficientnet_lite00", "'efficientnet_lite0'"),
        ("open_clip:ViT-B-32/laion2b_s34b_b79q", "'open_clip:ViT-B-32/laion2b_s34b_b79k'"),
        ("timm:resnet50.tv_in1q", "'timm:resnet50.tv_in1k'"),
        ("", "no model"),
    ],
)
def test_a_name_that_no_library_has_is_refused(name, near):
    """With the nearest ones."""
    with pytest.raises(OodkitError, match=near):
        check_backbone_name(name)
