"""Means of rows, of all or class by class, summed in float64 over blocks."""

import torch
from torch import Tensor

BLOCK = 2048  # rows that are cast to float64 at once


def mean_row(features: Tensor) -> Tensor:
    """Mean (D,) of the rows, float64.

    Args:
        features: (N, D) of any floating dtype, N >= 1.
    """
    total = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    for rows in torch.split(features, BLOCK):
        total += rows.to(torch.float64).sum(dim=0)
    return total / len(features)


def class_sums(features: Tensor, classes: Tensor, count: int) -> Tensor:
    """Sum of the rows of each class.

    Args:
        features: (N, D) of any floating dtype.
        classes: (N,) int64 in 0 .. count - 1.
        count: C, number of classes.

    Returns:
        (C, D) float64; zeros for a class without rows.
    """
    sums = torch.zeros(count, features.shape[1], dtype=torch.float64, device=features.device)
    for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
        sums.index_add_(0, of, rows.to(torch.float64))
    return sums
