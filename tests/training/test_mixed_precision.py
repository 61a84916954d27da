"""Mixed precision in training."""

import pytest
import torch
from torch import nn

from oodkit.training.mixed_precision import mixed

CPU = torch.device("cpu")


def _gradients(precision, side, stride, reset=0):
    torch.manual_seed(reset)
    layer = nn.Conv2d(32, 64, 3, stride, 1, bias=False)
    pixels = torch.randn(24, 32, side, side, requires_grad=True)
    with mixed(CPU, precision):
        answer = layer(pixels)
    answer.float().square().mean().backward()
    return answer.dtype, layer.weight.grad, pixels.grad


@pytest.mark.parametrize(("side", "stride"), [(1, 2), (2, 2), (3, 4), (1, 1)])
def test_gradients_are_nearly_those_of_float32(side, stride):
    """Also where the stride is larger than the map, whatever lay in memory before."""
    with torch.random.fork_rng():
        for attempt in range(4):
            _, *exact = _gradients("fp32", side, stride, attempt)
            _, *found = _gradients("bf16", side, stride, attempt)
            for one, other in zip(found, exact, strict=True):
                torch.testing.assert_close(one.float(), other, atol=0.05 * float(other.abs().max()), rtol=0)


def test_only_such_convolutions_are_computed_in_float32():
    """The type of their answer says so."""
    with torch.random.fork_rng():
        assert _gradients("bf16", 4, 2)[0] == torch.bfloat16
        assert _gradients("bf16", 1, 2)[0] == torch.float32
        assert _gradients("fp32", 4, 2)[0] == torch.float32
