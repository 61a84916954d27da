import numpy as np
import pytest
import torch
from scipy.stats import weibull_min

from oodkit.scorers.weibull import SHIFT, Weibull


def distances(seed: int, n: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).gamma(5, 2, n)


def test_agrees_with_scipy_on_shifted_distances() -> None:
    """Shape and scale are scipy's maximum likelihood fit of a Weibull with location 0, for every class at once."""
    tails = torch.from_numpy(np.stack([distances(seed) for seed in range(4)]))

    fitted = Weibull.fit(tails, torch.ones_like(tails, dtype=torch.bool))

    queries = np.linspace(0.1, 30, 50)
    for index, tail in enumerate(tails.numpy()):
        shifted = tail - tail.min() + SHIFT
        shape, _, scale = weibull_min.fit(shifted, floc=0)
        assert float(fitted.rate[index]) == pytest.approx(shape, rel=1e-3)
        expected = weibull_min.cdf(queries - tail.min() + SHIFT, shape, 0, scale)
        found = fitted.probability(torch.from_numpy(queries), torch.full((50,), index))
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_is_where_the_slope_of_the_likelihood_vanishes() -> None:
    """No other shape and scale nearby make the tail more probable."""
    tail = distances(7)
    fitted = Weibull.fit(torch.from_numpy(tail)[None], torch.ones(1, 20, dtype=torch.bool))
    shifted = tail - tail.min() + SHIFT
    shape, scale = float(fitted.rate), SHIFT * float(fitted.log_scale.exp())

    def likelihood(k: float, lam: float) -> float:
        return float(weibull_min.logpdf(shifted, k, 0, lam).sum())

    best = likelihood(shape, scale)
    for factor in (0.99, 1.01):
        assert likelihood(factor * shape, scale) < best
        assert likelihood(shape, scale + (factor - 1)) < best


def test_what_does_not_count_does_not_matter() -> None:
    """Entries that are masked may hold anything; tails may differ in length."""
    tail = distances(3, 6)
    padded = torch.from_numpy(np.concatenate([tail, [1e9, 0.0]]))[None]
    inside = torch.tensor([[True] * 6 + [False] * 2])

    alone = Weibull.fit(torch.from_numpy(tail)[None], torch.ones(1, 6, dtype=torch.bool))

    for found, expected in zip(Weibull.fit(padded, inside), alone, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_probabilities_rise_from_zero_to_one() -> None:
    """Far below the tail the probability is 0, far above 1, without NaN in value or gradient."""
    fitted = Weibull.fit(torch.from_numpy(distances(0) + 2 * SHIFT)[None], torch.ones(1, 20, dtype=torch.bool))
    queries = torch.tensor([0.0, SHIFT, 2 * SHIFT + 5, 2 * SHIFT + 10, 1e15], dtype=torch.float64, requires_grad=True)

    found = fitted.probability(queries, torch.zeros(5, dtype=torch.int64))
    found.sum().backward()

    assert found.diff().min() >= 0
    assert found[[0, -1]].tolist() == [0, 1]
    assert queries.grad is not None
    assert queries.grad.isfinite().all()
