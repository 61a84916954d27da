"""The contrastive loss of SemSAD's encoder."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.training.contrastive_loss import contrastive_loss


def test_equal_features_give_the_logarithm_of_the_batch():
    """All cosines are equal: log 2048 = 7.624619."""
    rows = torch.ones(2048, 3, dtype=torch.float64)

    assert contrastive_loss(rows, rows, 0.5).item() == pytest.approx(7.624619, abs=1e-6)


def test_the_smallest_value_with_views_that_coincide():
    """The corners of a simplex, B = 4, T = 0.5: log(1 + 3 exp(-(1 + 1/3) / 0.5))."""
    rows = torch.eye(4, dtype=torch.float64) - 0.25

    expected = math.log(1 + 3 * math.exp(-(1 + 1 / 3) / 0.5))
    assert contrastive_loss(rows, rows, 0.5).item() == pytest.approx(expected, abs=1e-12)


def test_the_smallest_value_of_the_published_batch():
    """B = 2048 and T = 0.5, with views that coincide at the corners of a simplex: 5.626760."""
    rows = torch.eye(2048) - 1 / 2048

    assert contrastive_loss(rows, rows, 0.5).item() == pytest.approx(5.626760, abs=1e-4)


@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 6), st.sampled_from([0.1, 0.5, 1.0]))
def test_no_features_go_below_it(seed, batch, width, temperature):
    """log(1 + (B - 1) exp(-(1 + 1 / (B - 1)) / T)) with views that coincide, whatever the features."""
    rows = torch.randn(batch, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    least = math.log(1 + (batch - 1) * math.exp(-(1 + 1 / (batch - 1)) / temperature))
    assert contrastive_loss(rows, rows, temperature).item() >= least - 1e-9


def test_a_loop_over_images_gives_the_same():
    """Against a plain loop: second views alone are negatives, in one direction."""
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    total = 0.0
    for i in range(5):
        cosines = [float(torch.cosine_similarity(first[i], second[j], dim=0)) for j in range(5)]
        total -= math.log(math.exp(cosines[i] / 0.5) / sum(math.exp(value / 0.5) for value in cosines))

    assert contrastive_loss(first, second, 0.5).item() == pytest.approx(total / 5, rel=1e-12)


def test_parts_of_a_batch_with_all_second_views_average_to_the_whole():
    """What two processes compute is the loss of one."""
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.randn(6, 3, generator=generator, dtype=torch.float64) for _ in range(2))

    parts = [contrastive_loss(first[i : i + 3], second, 0.5, offset=i).item() for i in (0, 3)]

    assert sum(parts) / 2 == pytest.approx(contrastive_loss(first, second, 0.5).item(), rel=1e-12)


def test_gradients_agree_with_finite_differences():
    """In float64."""
    generator = torch.Generator().manual_seed(2)
    rows = [torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2)]

    assert torch.autograd.gradcheck(lambda a, b: contrastive_loss(a, b, 0.5), rows)
