"""Means of rows, of all or class by class, summed in float64 over blocks."""

from collections.abc import Callable

import torch
from torch import Tensor

from oodkit.scorers.unit_rows import unit_rows

BLOCK = 2048  # rows that are cast to float64 at once
NO_DIRECTION = 1e-12  # length of a mean of rows of length 1 that is taken for rounding


def mean_row(features: Tensor) -> Tensor:
    """Mean (D,) of the rows, float64.

    Args:
        features: (N, D) of any floating dtype, N >= 1.
    """
    total = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    for rows in torch.split(features, BLOCK):
        total += rows.to(torch.float64).sum(dim=0)
    return total / len(features)


def class_sums(
    features: Tensor, classes: Tensor, count: int, prepare: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Sum of the rows of each class.

    Args:
        features: (N, D) of any floating dtype.
        classes: (N,) int64 in 0 .. count - 1.
        count: C, number of classes.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.

    Returns:
        (C, D) float64; zeros for a class without rows.
    """
    sums = torch.zeros(count, features.shape[1], dtype=torch.float64, device=features.device)
    for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
        rows = rows.to(torch.float64)
        sums.index_add_(0, of, rows if prepare is None else prepare(rows))
    return sums


def class_directions(features: Tensor, classes: Tensor, count: int) -> Tensor:
    """Direction of the mean of the rows of each class, each row scaled to length 1 first.

    Args:
        features: (N, D) of any floating dtype.
        classes: (N,) int64 in 0 .. count - 1, each at least once.
        count: C, number of classes.

    Returns:
        (C, D) float64 rows of length 1; zeros for a class whose directions cancel.
    """
    sums = class_sums(features, classes, count, unit_rows)
    means = sums / torch.bincount(classes, minlength=count)[:, None]
    without = torch.linalg.vector_norm(means, dim=1) <= NO_DIRECTION
    return unit_rows(means.masked_fill(without[:, None], 0))


def directions_note(directions: Tensor, what: str) -> list[str]:
    """That rows of some classes cancel, if so.

    Args:
        directions: what `class_directions` gave.
        what: the classes in words, such as "classes".
    """
    without = int((directions == 0).all(dim=1).sum())
    if not without:
        return []
    return [f"{without} of {len(directions)} {what} have rows whose directions cancel: cosine 0 with their prototype"]
