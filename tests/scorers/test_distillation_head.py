"""The head that is distilled."""

import numpy as np
import pytest
import torch
from scipy.special import erf

from oodkit.scorers.distillation_head import DistillationHead


@pytest.fixture
def head():
    made = DistillationHead.drawn(5, 7, 4, 3, torch.Generator().manual_seed(0))
    made.gain3.copy_(torch.tensor([1.0, 2.0, 0.5]))
    made.bias1.copy_(torch.linspace(-1, 1, 7))
    return made


def test_is_two_layers_a_code_of_length_one_and_scaled_cosines(head):
    """The same as plain NumPy in float64."""
    x = np.random.default_rng(0).standard_normal((6, 5))
    w1, b1, w2, b2, w3, gain = (part.double().numpy() for part in head.tensors().values())
    hidden = x @ w1 + b1
    hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
    code = hidden @ w2 + b2
    code /= np.linalg.norm(code, axis=1, keepdims=True)
    rows = torch.from_numpy(x)
    np.testing.assert_allclose(head.codes(rows).numpy(), code, rtol=1e-6)
    np.testing.assert_allclose(
        head.logits(rows).numpy(), code @ (w3 / np.linalg.norm(w3, axis=0)) * gain, rtol=1e-5, atol=1e-8
    )
    assert head.codes(rows.float()).dtype == torch.float32


def test_logits_start_within_one():
    """Gains start at 1, so that every logit is a cosine."""
    head = DistillationHead.drawn(5, 16, 8, 50, torch.Generator().manual_seed(1))
    assert head.logits(100 * torch.randn(200, 5, generator=torch.Generator().manual_seed(2))).abs().max() <= 1 + 1e-6


def test_gradients_agree_with_finite_differences(head):
    """In float64, with respect to each parameter and the rows."""
    x = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    parts = [part.double().requires_grad_(True) for part in head.tensors().values()]
    assert torch.autograd.gradcheck(lambda x, *parts: DistillationHead(*parts).logits(x), (x, *parts))


def test_a_copy_is_its_own(head):
    """Changing one leaves the other."""
    other = head.copy()
    other.weight1.zero_()
    assert head.weight1.abs().sum() > 0
