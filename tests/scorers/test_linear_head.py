import numpy as np
import torch
from hypothesis import given

from oodkit.scorers import parts
from oodkit.scorers.linear_head import head_energy
from tests.scorers.activations import activations, energy, make_activations


@given(activations())
def test_agrees_with_a_loop(data) -> None:
    """The energy is log-sum-exp of W z + b, row by row, in the dtype of the rows."""
    rows, weight, bias = (torch.from_numpy(a) for a in (data.queries, data.weight, data.bias))

    np.testing.assert_allclose(
        head_energy(rows, weight, bias), energy(data.queries, *data.head), rtol=1e-12, atol=1e-12
    )
    assert head_energy(rows.float(), weight, bias).dtype == torch.float32


def test_parts_do_not_matter(monkeypatch) -> None:
    """Few rows at a time give the same energies and gradients: the logits of all rows are never held."""
    data = make_activations(0)
    rows, weight, bias = (torch.from_numpy(a) for a in (data.rows, data.weight, data.bias))
    whole = head_energy(rows, weight, bias)
    monkeypatch.setattr(parts, "PART_BYTES", 1)

    leaf = rows.clone().requires_grad_(True)
    found = head_energy(leaf, weight, bias)
    found.sum().backward()

    torch.testing.assert_close(found.detach(), whole)
    torch.testing.assert_close(leaf.grad, (rows @ weight.T + bias).softmax(dim=1) @ weight)
