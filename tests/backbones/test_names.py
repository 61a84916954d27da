"""The grammar of backbone names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.backbones.names import FAMILIES, BackboneName
from oodkit.errors import InvalidInput

words = st.text("abcXYZ019-_.", min_size=1)


@pytest.mark.parametrize(
    ("text", "family", "model", "weights"),
    [
        ("efficientnet_lite0", None, "efficientnet_lite0", None),
        ("open_clip:ViT-B-32/laion2b_s34b_b79k", "open_clip", "ViT-B-32", "laion2b_s34b_b79k"),
        ("ViT-B-32/openai", None, "ViT-B-32", "openai"),
        ("timm:vit_base_patch14_dinov2.lvd142m", "timm", "vit_base_patch14_dinov2.lvd142m", None),
        ("timm:resnet50//tmp/weights.pth", "timm", "resnet50", "/tmp/weights.pth"),
        ("module:my/models.py:make", "module", "my/models.py:make", None),
    ],
)
def test_parts(text, family, model, weights):
    """FAMILY:MODEL/WEIGHTS, where family and weights may be left out; a module's file may hold slashes."""
    assert BackboneName.parse(text) == BackboneName(family, model, weights)


@given(st.sampled_from([None, "open_clip", "timm"]), words, st.none() | words)
def test_names_round_trip(family, model, weights):
    """A name that is written and read again is the same."""
    name = BackboneName(family, model, weights)
    assert BackboneName.parse(str(name)) == name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone_is_refused(family):
    """A family without a model says what to write."""
    with pytest.raises(InvalidInput, match="write FAMILY:MODEL"):
        BackboneName.parse(f"{family}:")
