import numpy as np
import torch

from oodkit.scorers.random_features import RandomFeatures
from oodkit.scorers.unit_rows import unit_rows


def test_features_are_the_scaled_cosines() -> None:
    """With one frequency 2 and phase 0, features of x are sqrt(2 / 1) cos(2 x)."""
    features = RandomFeatures(torch.tensor([[2.0]]), torch.tensor([0.0]))

    found = features(torch.tensor([[0.0], [0.5]]))

    np.testing.assert_allclose(found[:, 0], [np.sqrt(2), np.sqrt(2) * np.cos(1)], rtol=1e-6)


def test_products_estimate_the_kernel() -> None:
    """phi(x) . phi(y) is within 5 / sqrt(M) of exp(-gamma ||x - y||^2), for 100 pairs and several gammas."""
    rng = np.random.default_rng(0)
    x, y = (unit_rows(torch.from_numpy(rng.standard_normal((100, 8)))) for _ in range(2))
    for gamma in (0.1, 1, 4):
        features = RandomFeatures.draw(8, 1024, gamma, seed=1)

        estimate = (features(x) * features(y)).sum(dim=1)

        kernel = np.exp(-gamma * np.sum((x.numpy() - y.numpy()) ** 2, axis=1))
        assert np.abs(estimate.numpy() - kernel).max() < 5 / np.sqrt(1024)
        assert abs(float(features.phases.mean()) - np.pi) < 0.3


def test_a_seed_draws_the_same_again() -> None:
    """Draws are bitwise repeatable, differ between seeds and leave the global generator alone."""
    before = torch.get_rng_state()
    first, again, other = (RandomFeatures.draw(3, 5, 1.0, seed) for seed in (7, 7, 8))

    assert torch.equal(first.frequencies, again.frequencies)
    assert torch.equal(first.phases, again.phases)
    assert not torch.equal(first.frequencies, other.frequencies)
    assert torch.equal(torch.get_rng_state(), before)
