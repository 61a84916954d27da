"""From names to backbones."""

import pytest

from oodkit.backbones import load_backbone
from oodkit.errors import InvalidInput, UnknownName


def test_the_bundled_one_is_the_default_and_has_no_family():
    """`efficientnet_lite0` is the bundled one; timm's model of that name needs its family."""
    assert load_backbone(device="cpu").name == "efficientnet_lite0"


def test_a_typing_error_names_the_nearest():
    """An unknown name without a family is looked for in all families."""
    with pytest.raises(UnknownName, match=r"efficientnet_lite0.*oodkit list backbones"):
        load_backbone("eficientnet_lite0", device="cpu")


def test_an_empty_name_is_refused():
    """The grammar is in the message."""
    with pytest.raises(InvalidInput, match="FAMILY:MODEL"):
        load_backbone("", device="cpu")
