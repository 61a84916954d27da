import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers.largest_values import largest_column, largest_values


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 50))
def test_are_those_of_a_sort(seed, width, k) -> None:
    """The k largest values of each row are those that sorting finds, ties included; all where there are fewer."""
    rows = np.random.default_rng(seed).integers(-9, 9, (7, width)).astype(np.float32)

    found = np.sort(largest_values(torch.from_numpy(rows), k).numpy(), axis=1)

    np.testing.assert_array_equal(found, np.sort(rows, axis=1)[:, -k:])


def test_gradients_flow_to_what_was_chosen() -> None:
    """The gradient of the sum is 1 at the chosen entries and 0 elsewhere."""
    rows = torch.tensor([[1.0, 5.0, 3.0]], requires_grad=True)

    (slope,) = torch.autograd.grad(largest_values(rows, 2).sum(), rows)

    assert slope.tolist() == [[0, 1, 1]]


def test_column_is_that_of_the_first_largest() -> None:
    """The column of the largest entry, the first of equal ones; rows that need a gradient are taken as well."""
    rows = torch.tensor([[1.0, 5.0, 5.0], [-1.0, -2.0, -3.0]], requires_grad=True)

    assert largest_column(rows).tolist() == [1, 0]
