"""Rows in their leading principal directions."""

import numpy as np
import pytest
import torch

from oodkit.errors import TooFewSamples
from oodkit.scorers.principal_space import PrincipalSpace


def rows(seed=0):
    spread = torch.tensor([3.0, 2.0, 1.0, 0.1])
    drawn = torch.randn(200, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return 5 + spread * drawn


@pytest.mark.parametrize("whiten", [False, True])
def test_rows_are_centred_and_of_mean_variance_one(whiten):
    """Directions do not vary together; whitened, each has variance 1, else they keep their proportions."""
    space = PrincipalSpace.of(rows(), 3, whiten)
    found = space.of_rows(rows()).numpy()
    assert found.shape == (200, 3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    covariance = np.cov(found.T, bias=True)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-9)
    assert np.diag(covariance).mean() == pytest.approx(1)
    variances = np.linalg.eigvalsh(np.cov(rows().numpy().T, bias=True))[::-1][:3]
    expected = np.ones(3) if whiten else variances / variances.mean()
    np.testing.assert_allclose(np.diag(covariance), expected, rtol=1e-9)


def test_there_are_as_many_directions_as_rows_vary_in():
    """More components are not made up, and equal rows are refused."""
    flat = rows().clone()
    flat[:, 0] = 1
    assert PrincipalSpace.of(flat, 99, True).basis.shape == (4, 3)
    with pytest.raises(TooFewSamples, match="all fit samples are equal"):
        PrincipalSpace.of(torch.ones(9, 3), 2, False)
