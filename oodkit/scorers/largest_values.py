"""The largest entries of each row, by value alone."""

import numpy as np
import torch
from torch import Tensor


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
