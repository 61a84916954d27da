import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.clustering import own_neighbours
from oodkit.clustering.own_neighbours import nearest_others


def test_the_other_row_of_each_pair() -> None:
    """Of two pairs of directions each row's nearest other row is the other of its pair, whatever their lengths."""
    rows = torch.tensor([[1.0, 0], [0, 1], [5, 0.1], [0.1, 9]])

    assert nearest_others(rows, 1).flatten().tolist() == [2, 3, 0, 1]


def test_copies_are_neighbours_and_the_row_itself_is_not() -> None:
    """A row is left out by its place: among three copies the two others are nearest."""
    found = nearest_others(torch.tensor([[1.0, 1], [1, 1], [1, 1], [-1, 1], [0, 0]]), 2)

    assert [set(row) for row in found[:3].tolist()] == [{1, 2}, {0, 2}, {0, 1}]


@given(st.integers(0, 10**6), st.integers(2, 30), st.sampled_from([(4, 7), (7, 4), (3, 100), (100, 3)]))
def test_any_blocks_find_what_a_sort_of_all_cosines_finds(seed, count, blocks) -> None:
    """k of them, never the row itself, the same cosines as a sort of all, and no change when rows are scaled."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, 3))
    k = int(rng.integers(1, count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_neighbours, "ROWS", blocks[0])
        patch.setattr(own_neighbours, "COLUMNS", blocks[1])
        found = nearest_others(torch.from_numpy(rows), k).numpy()
        scaled = nearest_others(torch.from_numpy(2.0 ** rng.integers(-9, 9, (count, 1)) * rows), k).numpy()

    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    assert found.shape == (count, k)
    assert (found != np.arange(count)[:, None]).all()
    assert all(len(set(row)) == k for row in found)
    expected = -np.sort(-cosines, axis=1)[:, :k]
    np.testing.assert_allclose(np.take_along_axis(cosines, found, axis=1), expected, atol=1e-6)
    assert np.array_equal(found, scaled)
