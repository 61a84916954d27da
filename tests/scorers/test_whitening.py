import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from oodkit.scorers.whitening import ledoit_wolf_shrinkage, whitening


def centred(seed: int, n: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, width)) @ (rng.standard_normal((width, width)) + np.eye(width))
    return torch.from_numpy(rows - rows.mean(axis=0))


def moments(rows: torch.Tensor) -> tuple[torch.Tensor, float, int]:
    return rows.T @ rows / len(rows), float(rows.square().sum(dim=1).square().mean()), len(rows)


@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 12))
def test_shrinkage_is_that_of_scikit_learn(seed, n, width) -> None:
    """From the covariance and one fourth moment comes the weight that scikit-learn computes from all rows."""
    rows = centred(seed, n, width)

    _, expected = ledoit_wolf(rows.numpy(), assume_centered=True)

    assert ledoit_wolf_shrinkage(*moments(rows)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_a_full_rank_covariance_is_used_as_it_is(seed, width) -> None:
    """With samples enough W W' is the inverse covariance: nothing is shrunk, and there is nothing to say."""
    covariance, fourth, n = moments(centred(seed, 100, width))

    found = whitening(covariance, fourth, n)

    torch.testing.assert_close(
        found.matrix @ found.matrix.T @ covariance, torch.eye(width).double(), rtol=1e-6, atol=1e-6
    )
    assert (found.shrinkage, found.null_space_dim) == (0, 0)
    assert found.notes(n, "covariance") == []


def test_fewer_samples_than_dimensions_are_shrunk_and_it_is_said() -> None:
    """The whitened covariance is that of scikit-learn's Ledoit-Wolf estimate; a note gives all the numbers."""
    rows = centred(0, 10, 30)
    covariance, fourth, n = moments(rows)

    found = whitening(covariance, fourth, n)

    shrunk, weight = ledoit_wolf(rows.numpy(), assume_centered=True)
    np.testing.assert_allclose(found.matrix @ found.matrix.T, np.linalg.inv(shrunk), rtol=1e-7, atol=1e-9)
    assert found.null_space_dim == 21
    assert found.notes(n, "covariance") == [
        f"covariance: 10 fit samples for 30 dimensions, 21 directions without variance: "
        f"Ledoit-Wolf shrinkage {weight:.2g}"
    ]


def test_shrinking_needs_more_than_one_direction_of_scatter() -> None:
    """Where Ledoit and Wolf's weight is 0, the pseudo-inverse is used, and its blindness is said."""
    rows = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)  # each alone gives the whole covariance

    found = whitening(*moments(rows))

    np.testing.assert_allclose(found.matrix @ found.matrix.T, np.linalg.pinv(moments(rows)[0].numpy()), atol=1e-12)
    assert (found.shrinkage, found.null_space_dim) == (0, 1)
    assert "pseudo-inverse, blind in 1 directions" in found.notes(2, "covariance")[0]


def test_no_variance_gives_no_directions() -> None:
    """A covariance of zeros, or of rounding errors below the floor, sees nothing; distances are 0, not NaN."""
    for size, floor in ((0.0, 0.0), (1e-32, 1e-30)):
        found = whitening(size * torch.eye(3, dtype=torch.float64), 0.0, 5, floor)

        assert found.matrix.shape == (3, 0)
        assert found.notes(5, "covariance") == ["covariance: all 5 fit samples are equal, so distances are 0"]
