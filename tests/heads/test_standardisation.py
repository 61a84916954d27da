import numpy as np
import torch

from oodkit.heads import standardisation
from oodkit.heads.standardisation import Standardisation
from tests.heads.problems import labelled


def test_fit_rows_get_mean_0_and_unbiased_deviation_1(monkeypatch):
    """Also when they are read in blocks of two rows."""
    monkeypatch.setattr(standardisation, "BLOCK_BYTES", 2 * 8 * 5)
    rows = torch.from_numpy(labelled()[0]).double()

    found = Standardisation.of(rows).apply(rows).numpy()

    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0, ddof=1), 1, atol=1e-12)


def test_a_constant_feature_has_no_say():
    """A feature that varies by rounding alone is 0 whatever its value, and nothing is divided by 0."""
    rows = torch.from_numpy(labelled()[0])
    rows[:, 1] = 0.1
    rows[:, 2] = 1000 * (1 + torch.arange(len(rows)) % 2 * 1e-7)
    standard = Standardisation.of(rows)

    found = standard.apply(rows + 7)

    assert standard.constant == 2
    assert not found[:, 1:3].any()
    assert found.isfinite().all()


def test_folding_gives_the_logits_of_the_layer_behind_the_standardisation():
    """W (x - mean) factor + b is a linear layer of x."""
    rows = torch.from_numpy(labelled()[0]).double()
    weight, bias = torch.randn(3, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    standard = Standardisation.of(rows)

    folded, offset = standard.fold(weight, bias)

    np.testing.assert_allclose(rows @ folded.T + offset, standard.apply(rows) @ weight.T + bias, atol=1e-12)
