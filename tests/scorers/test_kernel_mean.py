import numpy as np
import pytest
import torch

from oodkit.scorers import kernel_mean as module
from oodkit.scorers import neighbours
from oodkit.scorers.kernel_mean import kernel_mean
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


@pytest.mark.parametrize("temperature", [1e-6, 0.04, 1.0, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_do_not_matter(monkeypatch, temperature, dtype) -> None:
    """Many small blocks and parts give value and gradient of one block, to rounding."""
    generator = torch.Generator().manual_seed(0)
    bank = Bank.of(torch.randn(1000, 6, generator=generator).sort(dim=0).values)  # the nearest rows come last
    queries = unit_rows(torch.randn(30, 6, generator=generator, dtype=dtype)).requires_grad_(True)

    def value_and_gradient() -> tuple[torch.Tensor, torch.Tensor]:
        scores = kernel_mean(bank, queries, temperature)
        return scores.detach(), torch.autograd.grad(scores.sum(), queries)[0]

    whole = value_and_gradient()
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 64)
    monkeypatch.setattr(module, "PRODUCT_BYTES", 64 * 8 * 7)

    for found, expected in zip(value_and_gradient(), whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)


def test_float64_at_low_and_high_temperatures() -> None:
    """In float64 values agree with the plain formula to 1e-12, where T multiplies rounding errors as well."""
    generator = torch.Generator().manual_seed(0)
    rows = unit_rows(torch.randn(500, 6, generator=generator, dtype=torch.float64))
    queries = unit_rows(torch.randn(9, 6, generator=generator, dtype=torch.float64))
    products = queries @ rows.T

    low, high = (kernel_mean(Bank(rows), queries, temperature) for temperature in (0.04, 1e6))

    torch.testing.assert_close(low, 0.04 * ((products / 0.04).logsumexp(dim=1) - np.log(500)), rtol=0, atol=1e-12)
    torch.testing.assert_close(high, products.mean(dim=1) + products.var(dim=1) / 2e6, rtol=0, atol=1e-8)
