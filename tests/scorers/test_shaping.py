import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers.shaping import kept_count, largest_entries, sharpened_count, sharpening, sign_note
from tests.scorers.activations import activations


def test_how_many_are_kept() -> None:
    """D - round(D p / 100): all at 0, 1 of 10 at 90; halves are rounded to even."""
    assert [kept_count(10, p) for p in (0, 85, 90, 25)] == [10, 2, 1, 8]


@pytest.mark.parametrize("percentile", [100, 96])
def test_none_left_is_an_error(percentile) -> None:
    """A percentile that prunes every activation is refused, with the numbers."""
    with pytest.raises(InvalidInput, match=f"percentile={percentile} keeps none of the 10 features of a row; lower it"):
        kept_count(10, percentile)


def test_a_factor_that_would_overflow_is_an_error() -> None:
    """One of 2000 could give the factor exp(2000): refused before any score is infinite."""
    with pytest.raises(InvalidInput, match=r"keeps 1 of 2000 features, so the factor can reach exp\(2000\)"):
        sharpened_count(2000, 99.95)
    assert sharpened_count(2000, 99.8) == 4


@given(activations(), st.data())
def test_exactly_so_many_and_the_largest(data, draw) -> None:
    """Each row keeps `count` entries; among equal ones the first: those that a stable sort puts first."""
    count = draw.draw(st.integers(1, data.rows.shape[1]))

    kept = largest_entries(torch.from_numpy(data.rows), count).numpy()

    for row, mask in zip(data.rows, kept, strict=True):
        assert set(np.flatnonzero(mask)) == set(np.argsort(-row, kind="stable")[:count])


@given(activations(signed=False), st.data(), st.floats(1e-3, 1e3))
def test_factor_of_activations(data, draw, stretch) -> None:
    """exp(s1 / s2), in [e, exp(D / k)], the same for a row that is stretched; 0 for a row of zeros."""
    rows = torch.from_numpy(data.rows)
    count = draw.draw(st.integers(1, rows.shape[1]))
    kept = largest_entries(rows, count)

    factor = sharpening(rows, kept, count)[:, 0]

    for row, mask, found in zip(data.rows, kept.numpy(), factor.numpy(), strict=True):
        if count == len(row):
            assert found == math.e
        elif row.max() > 0:
            assert found == pytest.approx(math.exp(sum(row) / sum(row[mask])))
            assert math.e * (1 - 1e-12) <= found <= math.exp(len(row) / count) * (1 + 1e-12)
        else:
            assert found == 0
    torch.testing.assert_close(sharpening(stretch * rows, kept, count)[:, 0], factor)


def test_factor_where_it_has_no_meaning() -> None:
    """Largest activations that sum to 0 or less give 0, and so does s2 = 0+, with gradients that are numbers."""
    rows = torch.tensor([[-1.0, -2, -3], [0, 0, 0], [0, -1, -1], [1e-30, -1, -1], [1, -0.5, -0.5]]).requires_grad_(True)

    factor = sharpening(rows, largest_entries(rows, 1), 1)
    factor.sum().backward()

    assert factor[:, 0].tolist() == [0, 0, 0, 0, 1]
    assert bool(rows.grad.isfinite().all())


def test_word_on_the_sign() -> None:
    """A note gives the share of negative values and the consequence; there is none without any."""
    assert sign_note(torch.tensor([[0.0, 1.0], [2.0, 3.0]]), "x") == []
    assert sign_note(torch.tensor([[-1.0, 1.0], [2.0, 3.0]]), "they stay") == [
        "25 % of the fit activations are negative, but the method is for those after a ReLU: they stay"
    ]
