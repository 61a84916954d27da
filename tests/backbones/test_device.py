"""Choosing a device."""

import pytest
import torch

from oodkit.backbones import choose_device
from oodkit.errors import DeviceUnavailable


def test_auto_takes_what_is_there():
    """Without a GPU, "auto" is the CPU."""
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == expected


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "meta"])
def test_a_device_that_is_not_there_is_an_error(name):
    """Nobody who asks for a GPU gets the CPU without a word."""
    with pytest.raises(DeviceUnavailable, match="cpu"):
        choose_device(name)
