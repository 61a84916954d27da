import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oodkit.clustering.temi_gradient import student_step, teacher_step
from oodkit.clustering.temi_heads import Heads
from oodkit.clustering.temi_loss import pair_weights, temi_loss
from oodkit.clustering.workspace import Workspace


def drawn(seed: int, heads: int, width: int, clusters: int, dtype: torch.dtype = torch.float64) -> Heads:
    generator = torch.Generator().manual_seed(seed)
    found = Heads.draw(heads, width, clusters, generator)
    for tensor in found.tensors().values():
        tensor += 0.3 * torch.randn(tensor.shape, generator=generator)
    return Heads(**{name: tensor.to(dtype) for name, tensor in found.tensors().items()})


def loss_and_slopes(student, teacher, x, share, weighting="temi", memory=None):
    count = len(x) // 2
    log_teacher = teacher_step(teacher, x, memory or Workspace()).clone()
    weights = pair_weights(log_teacher[:, :count], log_teacher[:, count:], weighting).repeat(1, 2)
    other = log_teacher.roll(count, dims=1)
    return student_step(student, x, other, weights, share.log(), 0.6, memory or Workspace())


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
        hidden = torch.nn.functional.gelu(x @ of.first + of.first_bias).view(len(x), heads, -1).transpose(0, 1)
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
    """Log-probabilities in memory that is used again are those of `Heads.log_probabilities`."""
    heads = drawn(0, 3, 5, 4, torch.float32)
    memory = Workspace()
    for seed, rows in ((1, 8), (2, 3), (3, 12)):
        x = torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(teacher_step(heads, x, memory), heads.log_probabilities(x))


def test_memory_of_an_earlier_step_does_not_matter() -> None:
    """A workspace that held another, larger step gives the same as a new one."""
    student, teacher = drawn(0, 2, 4, 3, torch.float32), drawn(1, 2, 4, 3, torch.float32)
    share, memory = torch.full((2, 3), 1 / 3), Workspace()
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(2))
    loss_and_slopes(student, teacher, torch.cat([x, 3 * x]), share, memory=memory)

    with torch.no_grad():
        losses, slopes = loss_and_slopes(student, teacher, x, share, memory=memory)
        expected, expected_slopes = loss_and_slopes(student, teacher, x, share)
    assert torch.equal(losses, expected)
    for name, slope in slopes.items():
        assert torch.equal(slope, expected_slopes[name]), name


def test_workspace_keeps_its_memory() -> None:
    """The same name gives the same memory, larger when more is asked for; another dtype gets memory of its own."""
    memory, like = Workspace(), torch.zeros(())
    first = memory("a", 2, 3, like=like)

    assert first.shape == (2, 3)
    assert memory("a", 4, like=like).data_ptr() == first.data_ptr()
    assert memory("b", 4, like=like).data_ptr() != first.data_ptr()
    assert memory("a", 7, like=like).shape == (7,)
    assert memory("a", 2, like=like.double()).dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_precisions(dtype) -> None:
    """bfloat16 products give the losses of float32 nearly, and gradients in float32."""
    student, teacher = drawn(0, 2, 4, 3, torch.float32), drawn(1, 2, 4, 3, torch.float32)
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(2))
    share = torch.full((2, 3), 1 / 3)
    losses, slopes = loss_and_slopes(student, teacher, x.to(dtype), share)

    torch.testing.assert_close(losses, loss_and_slopes(student, teacher, x, share)[0], atol=0.05, rtol=0.05)
    assert all(slope.dtype == torch.float32 for slope in slopes.values())
