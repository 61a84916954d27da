import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers.conformal import Calibration


def test_four_held_out_scores() -> None:
    """Among 1, 2, 2, 3 a score of 2 has three at most as high: (1 + 3) / 5; below all 1 / 5; above all 1."""
    calibration = Calibration.of(torch.tensor([2.0, 1, 3, 2]), torch.zeros(4, dtype=torch.int64), 1, least=1)

    found = calibration.p_values(torch.tensor([2.0, 0, 3, 9]), torch.zeros(4, dtype=torch.int64))

    assert found.tolist() == [0.8, 0.2, 1, 1]


@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 5), st.integers(0, 20))
def test_loop_over_rows(seed, held_out, groups, least) -> None:
    """A count in NumPy for each row gives the same; groups with few members are compared with all."""
    rng = np.random.default_rng(seed)
    scores, of = rng.integers(-5, 5, held_out) / 2, rng.integers(groups, size=held_out)
    queries, at = rng.integers(-7, 7, 30) / 2, rng.integers(groups, size=30)
    calibration = Calibration.of(torch.from_numpy(scores), torch.from_numpy(of), groups, least)

    found = calibration.p_values(torch.from_numpy(queries), torch.from_numpy(at)).numpy()

    for p, query, group in zip(found, queries, at, strict=True):
        own = scores[of == group]
        own = scores if len(own) < least else own
        assert p == pytest.approx((1 + (own <= query).sum()) / (len(own) + 1))
        assert 0 < p <= 1


def test_uniform_on_rows_of_the_same_kind() -> None:
    """Over leave-one-out splits of 99 different scores the p-values are 1/99 to 99/99 once each."""
    scores = torch.randn(99, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(99, dtype=torch.int64)
    found = []
    for i in range(99):
        rest = torch.cat([scores[:i], scores[i + 1 :]])
        found.append(Calibration.of(rest, none[1:], 1).p_values(scores[i : i + 1], none[:1]).item())

    np.testing.assert_allclose(sorted(found), np.arange(1, 100) / 99)
