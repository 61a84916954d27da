import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oodkit.scorers.selection import GROUP, largest, merge_largest


@st.composite
def rows_and_k(draw):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 40 * GROUP)))
    rows = draw(arrays(np.float32, shape, elements=st.integers(-20, 20), fill=st.integers(-20, 20)))
    return rows, draw(st.integers(1, shape[1] + 2))


@given(rows_and_k())
def test_the_k_largest_of_each_row(rows_k) -> None:
    """The values are those of a full sort, ties or not, and stand in the columns that are named, each named once."""
    rows, k = rows_k

    values, columns = largest(torch.from_numpy(rows), k)

    kept = min(k, rows.shape[1])
    np.testing.assert_array_equal(np.sort(values.numpy(), axis=1), np.sort(rows, axis=1)[:, -kept:])
    np.testing.assert_array_equal(np.take_along_axis(rows, columns.numpy(), axis=1), values.numpy())
    assert all(len(set(row)) == kept for row in columns.tolist())


def test_columns_beside_full_groups_are_looked_at() -> None:
    """The largest entry may stand in the last columns, which fill no group."""
    rows = torch.zeros(1, 4 * GROUP + 3)
    rows[0, -1] = 1

    values, columns = largest(rows, 1)

    assert values.item() == 1
    assert columns.item() == 4 * GROUP + 2


def test_merging_keeps_the_largest() -> None:
    """Two lists of entries become one in place, with their columns."""
    values, columns = torch.tensor([[5.0, 1.0]]), torch.tensor([[7, 8]])

    merge_largest(values, columns, torch.tensor([[2.0, 9.0, -torch.inf]]), torch.tensor([[1, 2, 0]]))

    assert sorted(zip(values[0].tolist(), columns[0].tolist(), strict=True)) == [(5.0, 7), (9.0, 2)]
