"""The largest entries of each row: several by value alone, or one by its column."""

import numpy as np
import torch
from torch import Tensor


def largest_column(rows: Tensor) -> Tensor:
    """The column of the largest entry of each row, (B,) int64; the first of equal ones on a CPU.

    Args:
        rows: (B, n), without NaN; no gradient flows.
    """
    if rows.device.type != "cpu":
        return rows.argmax(dim=1)
    return torch.from_numpy(rows.detach().numpy().argmax(axis=1))  # several times faster than torch's


def largest_values(rows: Tensor, k: int) -> Tensor:
    """The min(k, n) largest entries of each row, (B, min(k, n)), in no order; exact, ties included.

    Args:
        rows: (B, n), without NaN; gradients flow to the entries that were chosen.
        k: at least 1.
    """
    if k >= rows.shape[1]:
        return rows
    if rows.requires_grad or rows.device.type != "cpu":
        return rows.topk(k, dim=1, sorted=False).values
    # NumPy's partition on one thread is several times faster than topk on two; sharing it out among threads of our
    # own is slower still, since those of torch go on waiting for work.
    return torch.from_numpy(np.partition(rows.numpy(), -k, axis=1)[:, -k:])


def largest_last(rows: Tensor, k: int) -> Tensor:
    """All entries of each row, (B, n), in another order: the min(k, n) largest are last, in no order among themselves.

    Args:
        rows: (B, n) on a CPU, without NaN; no gradient flows.
        k: at least 1.
    """
    return torch.from_numpy(np.partition(rows.numpy(), -min(k, rows.shape[1]), axis=1))
