"""Compiled backbones; where no compiler is installed, what they say."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from oodkit.backbones import load_backbone
from oodkit.errors import InvalidInput

COMPILER = os.environ.get("CXX", "g++")


@pytest.mark.skipif(shutil.which(COMPILER) is None, reason="needs a C++ compiler")
def test_threads_share_one_compiled_backbone(tiny_name):
    """Threads that meet it uncompiled at once all get the features of the plain backbone."""
    plain = load_backbone(tiny_name, device="cpu")
    compiled = load_backbone(tiny_name, device="cpu", compile=True)
    pixels = [torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) for seed in range(6)]

    def features(batch):
        with torch.inference_mode():
            return compiled.embed_pixels(batch)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(features, pixels))

    for batch, ours in zip(pixels, found, strict=True):
        torch.testing.assert_close(ours, plain.embed_pixels(batch))
    assert compiled.numerics == "fp32+compile"


def test_without_a_compiler_the_error_says_what_is_missing(tiny_name):
    """One line names the compiler that was looked for; `dim` needs none."""
    from torch._inductor import config

    backbone = load_backbone(tiny_name, device="cpu", compile=True)
    assert backbone.dim == 48
    with (
        config.patch({"cpp.cxx": (None, "no-such-compiler")}),
        torch.inference_mode(),
        pytest.raises(InvalidInput, match=r"cannot be compiled here .*no-such-compiler.*install one") as caught,
    ):
        backbone.embed_pixels(torch.rand(5, 3, 16, 16))
    assert "\n" not in str(caught.value)
