import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers import squared_distance
from oodkit.scorers.squared_distance import nearest_point, root, squared_distance_to_nearest


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 20), st.integers(0, 6))
def test_is_the_smallest_of_a_loop(seed, n, count, width) -> None:
    """Each distance is the smallest of a loop over all points."""
    rng = np.random.default_rng(seed)
    x, points = rng.standard_normal((n, width)), rng.standard_normal((count, width))

    found = squared_distance_to_nearest(torch.from_numpy(x), torch.from_numpy(points))

    expected = [min(np.sum((row - point) ** 2) for point in points) for row in x]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_on_a_point_the_distance_is_exactly_zero() -> None:
    """A row that is a point has distance 0, where |x|^2 - 2 x.p + |p|^2 would leave a rounding error."""
    points = 100 + torch.randn(50, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    assert (squared_distance_to_nearest(points, points) == 0).all()


def test_parts_do_not_matter(monkeypatch) -> None:
    """Rows that are compared part by part give what they give at once."""
    x, points = torch.randn(20, 3), torch.randn(7, 3)
    whole = squared_distance_to_nearest(x, points)
    monkeypatch.setattr(squared_distance, "PRODUCT_BYTES", 7 * 4 * 3)

    torch.testing.assert_close(squared_distance_to_nearest(x, points), whole)


def test_gradient_is_twice_the_difference() -> None:
    """The gradient leads away from the nearest point."""
    x = torch.tensor([[1.0, 0.0]], requires_grad=True)

    squared_distance_to_nearest(x, torch.tensor([[0.0, 0.0], [9.0, 9.0]])).sum().backward()

    assert x.grad.tolist() == [[2.0, 0.0]]


def test_root_has_no_slope_at_zero() -> None:
    """The root of 4 is 2 with slope 1/4; that of 0 is 0 with slope 0, not infinite."""
    squares = torch.tensor([4.0, 0.0], requires_grad=True)
    roots = root(squares)
    roots.sum().backward()

    assert roots.tolist() == [2, 0]
    assert squares.grad is not None
    assert squares.grad.tolist() == [0.25, 0]


def test_nearest_point() -> None:
    """Where the nearest point is, not how far."""
    assert nearest_point(torch.tensor([[0.1], [7.0]]), torch.tensor([[9.0], [0.0]])).tolist() == [1, 0]
