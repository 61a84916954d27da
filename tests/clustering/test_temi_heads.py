import math

import numpy as np
import pytest
import torch

from oodkit.clustering.temi_heads import Heads


def heads(count: int = 3, width: int = 5, clusters: int = 4, seed: int = 0) -> Heads:
    return Heads.draw(count, width, clusters, torch.Generator().manual_seed(seed))


def test_each_head_by_itself() -> None:
    """One product for all heads gives what a loop in NumPy over heads and rows gives."""
    drawn = heads()
    for tensor in drawn.tensors().values():
        tensor += torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1))
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(2))
    found = drawn.log_probabilities(x).numpy()

    erf = np.vectorize(math.erf)
    for i in range(3):
        own = {name: tensor.double().numpy() for name, tensor in drawn.one(i).tensors().items()}
        for j, row in enumerate(x.double().numpy()):
            hidden = row @ own["first"][0] + own["first_bias"][0, 0]
            hidden = hidden * (1 + erf(hidden / math.sqrt(2))) / 2
            code = hidden @ own["second"][0] + own["second_bias"][0, 0]
            code /= np.linalg.norm(code)
            directions = own["last"][0] / np.linalg.norm(own["last"][0], axis=0) * own["gain"][0, 0]
            logits = code @ directions / 0.1
            np.testing.assert_allclose(found[i, j], logits - np.log(np.exp(logits).sum()), atol=1e-4)


def test_logits_begin_as_cosines_over_the_temperature() -> None:
    """Before training no log-probability is further than 20 from another: cosines over 0.1."""
    drawn = heads(2, 50, 30)
    found = drawn.log_probabilities(torch.randn(100, 50, generator=torch.Generator().manual_seed(0)))

    assert (found.amax(dim=2) - found.amin(dim=2)).max() <= 20
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(2, 100))


def test_one_head_alone() -> None:
    """A head taken out gives what it gave among the others, and shares no memory with them."""
    drawn = heads()
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    expected = drawn.log_probabilities(x)[1]
    alone = drawn.one(1)
    for tensor in drawn.tensors().values():
        tensor.zero_()

    torch.testing.assert_close(alone.log_probabilities(x)[0], expected)


def test_seeded() -> None:
    """The same seed draws the same weights, small and about 0; no global generator is touched."""
    state = torch.get_rng_state()
    drawn = heads(seed=4)

    assert torch.equal(drawn.first, heads(seed=4).first)
    assert not torch.equal(drawn.first, heads(seed=5).first)
    assert drawn.first.abs().max() <= 0.04
    assert drawn.first.std().item() == pytest.approx(0.0176, abs=5e-4)
    assert torch.equal(torch.get_rng_state(), state)
