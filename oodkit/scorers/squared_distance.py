"""Squared Euclidean distance to the nearest of many points, by one matrix product."""

import torch
from torch import Tensor

PRODUCT_BYTES = 32 * 2**20  # distances that are held at once


def squared_distance_to_nearest(x: Tensor, points: Tensor) -> Tensor:
    """Squared distance of each row to the nearest point.

    The nearest is found from |x|^2 - 2 x.p + |p|^2; its distance is then computed directly, so that a row that lies
    on a point gets no negative distance and loses no digits.

    Args:
        x: (B, r) rows.
        points: (C, r) of the same dtype, C >= 1.

    Returns:
        (B,) distances; differentiable in x.
    """
    return (x - points[nearest_point(x, points)]).square().sum(dim=1)


def nearest_point(x: Tensor, points: Tensor) -> Tensor:
    """Where the nearest point of each row is, (B,) int64.

    Args:
        x: (B, r) rows.
        points: (C, r) of the same dtype, C >= 1.
    """
    with torch.no_grad():
        half_squares = points.square().sum(dim=1) / 2  # (C,)
        per_part = max(1, PRODUCT_BYTES // (len(points) * points.element_size()))
        parts = torch.split(x, per_part)
        return torch.cat([torch.addmm(half_squares, part, points.T, alpha=-1).argmin(dim=1) for part in parts])


def root(squares: Tensor) -> Tensor:
    """Distances (B,) of squared ones, with slope 0 at 0, where the square root has none."""
    return torch.where(squares > 0, squares.where(squares > 0, 1).sqrt(), 0)
