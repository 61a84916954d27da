import numpy as np
import torch

from oodkit.scorers import class_means
from oodkit.scorers.class_means import class_sums, mean_row


def test_sums_are_those_of_a_loop_whatever_the_blocks(monkeypatch) -> None:
    """Each row is added to its own class; a class without rows has sum 0."""
    rng = np.random.default_rng(0)
    rows, classes = rng.standard_normal((50, 3)).astype(np.float32), rng.integers(0, 4, 50)
    expected = [rows[classes == c].astype(np.float64).sum(axis=0) for c in range(5)]

    for block in (1, 7, 100):
        monkeypatch.setattr(class_means, "BLOCK", block)
        found = class_sums(torch.from_numpy(rows), torch.from_numpy(classes), 5)

        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        assert found.dtype == torch.float64


def test_mean_is_exact_for_half_precision() -> None:
    """float16 rows are summed in float64: 5,000 times 0.1 does not lose its digits."""
    rows = torch.full((5000, 2), 0.1, dtype=torch.float16)

    assert mean_row(rows).tolist() == [float(rows[0, 0])] * 2
