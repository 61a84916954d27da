"""Batch normalisation over the images of all processes."""

import os
import subprocess
import sys

PROGRAM = """
import torch
from torch import nn
from timm.layers import BatchNormAct2d
from oodkit.training.batch_statistics import shared_statistics
from oodkit.training.world import joined

torch.manual_seed(0)
images = 3 * torch.randn(8, 2, 3, 3) + 1
slope = torch.randn(8, 2, 3, 3)
with joined("cpu") as world:
    part = world.share(8)
    for layer in (nn.BatchNorm2d(2), BatchNormAct2d(2), nn.BatchNorm2d(2, affine=False, track_running_stats=False)):
        alone, own = (pixels.clone().requires_grad_(True) for pixels in (images, images[part]))
        expected = layer(alone)
        (expected * slope).sum().backward()
        kept = {name: value.clone() for name, value in layer.state_dict().items() if "running" in name}
        if kept:
            layer.reset_running_stats()

        with shared_statistics(world):
            found = layer(own)
        (found * slope[part]).sum().backward()

        torch.testing.assert_close(found, expected[part], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(own.grad, alone.grad[part], atol=1e-5, rtol=1e-5)
        for name, value in kept.items():
            torch.testing.assert_close(layer.state_dict()[name], value)
        if kept:
            layer.eval()
            with shared_statistics(world):
                torch.testing.assert_close(layer(images[part]), layer(images)[part])
print("same")
"""


def test_two_processes_normalise_as_one():
    """Answers, gradients and running statistics are those of one process with all images, also of timm's own layer."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    done = subprocess.run(
        [*command, sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("same") == 2
