import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from oodkit.scorers.unit_rows import inverse_norms, unit_rows

entries = st.floats(-1e3, 1e3).map(lambda v: v if abs(v) > 1e-3 else 0.0)
matrices = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=entries)


@given(matrices, st.floats(1e-30, 1e30))
def test_rows_have_length_one_whatever_their_scale(rows, scale) -> None:
    """Every row but a zero one has length 1 and its own direction, however long it was."""
    found = unit_rows(torch.from_numpy(scale * rows)).numpy()

    for row, unit in zip(rows, found, strict=True):
        length = np.sqrt(np.sum(row**2))
        np.testing.assert_allclose(unit, row / length if length else row, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-44, 1e-30, 1e30, 3e38])
def test_extreme_float32_rows_do_not_overflow(size) -> None:
    """Squares of float32 entries may overflow or vanish; lengths must not."""
    found = unit_rows(torch.full((1, 4), size))

    torch.testing.assert_close(found, torch.full((1, 4), 0.5 if size else 0.0))


def test_gradient_of_a_zero_row_is_finite() -> None:
    """A zero row must not poison an attack with NaN gradients."""
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)

    unit_rows(rows).sum().backward()

    assert torch.isfinite(rows.grad).all()


@given(matrices)
def test_inverse_norms_scale_rows_to_length_one(rows) -> None:
    """Rows times their inverse norms are unit rows; 0 for a zero row."""
    x = torch.from_numpy(rows)

    torch.testing.assert_close(x * inverse_norms(x)[:, None], unit_rows(x), rtol=1e-12, atol=1e-12)
