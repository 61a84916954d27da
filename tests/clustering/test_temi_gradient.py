import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oodkit.clustering import temi_gradient
from oodkit.clustering.temi_gradient import head_parts, student_step, teacher_step
from oodkit.clustering.temi_heads import Heads
from oodkit.clustering.temi_loss import agreement, temi_loss, weights_of


def drawn(seed: int, heads: int, width: int, clusters: int, dtype: torch.dtype = torch.float64) -> Heads:
    generator = torch.Generator().manual_seed(seed)
    found = Heads.draw(heads, width, clusters, generator)
    for tensor in found.tensors().values():
        tensor += 0.3 * torch.randn(tensor.shape, generator=generator)
    return Heads(**{name: tensor.to(dtype) for name, tensor in found.tensors().items()})


def loss_and_slopes(student, teacher, x, share, weighting="temi"):
    taught = teacher_step(teacher, x)
    weights = weights_of(taught.agreements, weighting)
    return student_step(student, x, taught.log_probabilities, weights, share.log(), 0.6)


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 5), st.sampled_from(["temi", "wpmi", "pmi"]))
def test_is_the_gradient_of_the_loss(seed, heads, pairs, weighting) -> None:
    """Losses are those of `temi_loss`, and each gradient is what automatic differentiation of it gives."""
    student, teacher = drawn(seed, heads, 4, 3), drawn(seed + 1, heads, 4, 3)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2 * pairs, 4, dtype=torch.float64, generator=generator)
    share = torch.randn(heads, 3, dtype=torch.float64, generator=generator).softmax(1)
    losses, slopes = loss_and_slopes(student, teacher, x, share, weighting)

    def log_probabilities(of: Heads) -> torch.Tensor:
        hidden = torch.nn.functional.gelu(x @ of.first + of.first_bias)
        code = torch.nn.functional.normalize(hidden @ of.second + of.second_bias, dim=2)
        logits = code @ (torch.nn.functional.normalize(of.last, dim=1) * of.gain) / 0.1
        return logits.log_softmax(2).view(heads, 2, pairs, 3)

    for tensor in student.tensors().values():
        tensor.requires_grad_(True)
    expected = temi_loss(log_probabilities(student), log_probabilities(teacher), share, 0.6, weighting)
    gradients = torch.autograd.grad(expected.mean(), list(student.tensors().values()))
    torch.testing.assert_close(losses, expected.detach(), rtol=1e-5, atol=1e-6)
    for name, gradient in zip(student.tensors(), gradients, strict=True):
        torch.testing.assert_close(slopes[name].double(), gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_teacher_is_what_heads_give() -> None:
    """Log-probabilities are those of `Heads.log_probabilities`; shares and agreements are what follows from them."""
    heads = drawn(0, 3, 5, 4, torch.float32)
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    expected = heads.log_probabilities(x)
    taught = teacher_step(heads, x)

    torch.testing.assert_close(taught.log_probabilities, expected)
    torch.testing.assert_close(taught.shares, expected.exp().mean(dim=1))
    torch.testing.assert_close(taught.agreements, agreement(expected[:, :4], expected[:, 4:]))


@pytest.mark.parametrize("weighting", ["temi", "wpmi"])
def test_how_many_heads_at_once_does_not_matter(monkeypatch, weighting) -> None:
    """Losses and gradients of five heads are the same one by one, two at a time and all together."""
    student, teacher = drawn(0, 5, 4, 3, torch.float32), drawn(1, 5, 4, 3, torch.float32)
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(2))
    share = torch.full((5, 3), 1 / 3)
    found = []
    for heads in (1, 2, 5):
        monkeypatch.setattr(temi_gradient, "CACHE_BYTES", heads * 8 * (2 * 512 + 2 * 256 + 2 * 3) * 4)
        assert len(list(head_parts(student, x))) == -(-5 // heads)
        found.append(loss_and_slopes(student, teacher, x, share, weighting))

    for losses, slopes in found[1:]:
        torch.testing.assert_close(losses, found[0][0])
        for name, slope in slopes.items():
            torch.testing.assert_close(slope, found[0][1][name], atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_precisions(dtype) -> None:
    """bfloat16 products give the losses of float32 nearly, and gradients in float32."""
    student, teacher = drawn(0, 2, 4, 3, torch.float32), drawn(1, 2, 4, 3, torch.float32)
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(2))
    share = torch.full((2, 3), 1 / 3)
    losses, slopes = loss_and_slopes(student, teacher, x.to(dtype), share)

    torch.testing.assert_close(losses, loss_and_slopes(student, teacher, x, share)[0], atol=0.05, rtol=0.05)
    assert all(slope.dtype == torch.float32 for slope in slopes.values())
