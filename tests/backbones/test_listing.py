"""Listing the names of all backbones."""

import subprocess
import sys

from oodkit.backbones.listing import BUNDLED, all_backbones, known_backbones, list_backbones


def test_wildcards_match_with_and_without_the_family():
    """'ViT-*' finds open_clip's models, 'timm:*dinov2*' timm's; the bundled one is there too."""
    clips = list_backbones("ViT-B-32*")
    assert "open_clip:ViT-B-32/laion2b_s34b_b79k" in clips
    assert all(name.startswith("open_clip:ViT-B-32") for name in clips)
    assert "timm:vit_base_patch14_dinov2.lvd142m" in list_backbones("timm:*dinov2*")
    assert list_backbones("efficientnet_lite0") == [BUNDLED]
    assert list_backbones("no-such-*") == []


def test_the_answer_is_kept_for_completion():
    """What was asked once is known afterwards without importing the libraries."""
    assert known_backbones() == [BUNDLED]
    names = all_backbones()
    assert known_backbones() == names
    code = (
        "import sys; from oodkit.backbones.listing import list_backbones; "
        "assert list_backbones('ViT-L-14/*'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
