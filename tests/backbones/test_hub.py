"""Weights that cannot be fetched."""

import logging

import pytest

from oodkit.backbones.hub import fetching
from oodkit.errors import DownloadFailed


def test_a_failed_download_is_one_line_and_changes_nothing():
    """Whatever the library raised, the user reads what to do; log levels and offline mode are as before."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, logging.getLogger("huggingface_hub").level
    with (
        pytest.raises(DownloadFailed, match="give a file as timm:net/FILE") as caught,
        fetching("timm:net", "timm:net/FILE"),
    ):
        raise OSError("first line\nsecond line")
    assert "\n" not in str(caught.value)
    assert (constants.HF_HUB_OFFLINE, logging.getLogger("huggingface_hub").level) == before
