"""The largest entries of each row, by value alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROWS_PER_THREAD = 128  # fewer do not repay handing them to a thread


def largest_values(rows: Tensor, k: int) -> Tensor:
    """The min(k, n) largest entries of each row, (B, min(k, n)), in no order; exact, ties included.

    Args:
        rows: (B, n), without NaN; gradients flow to the entries that were chosen.
        k: at least 1.
    """
    n = rows.shape[1]
    if k >= n:
        return rows
    if rows.requires_grad or rows.device.type != "cpu":
        return rows.topk(k, dim=1, sorted=False).values
    threads = min(torch.get_num_threads(), len(rows) // ROWS_PER_THREAD)
    if threads < 2:
        return torch.from_numpy(_partition(rows.numpy(), k))
    with ThreadPoolExecutor(threads) as pool:  # NumPy's partition is far faster than topk, but of one thread
        parts = list(pool.map(lambda part: _partition(part.numpy(), k), rows.chunk(threads)))
    return torch.from_numpy(np.concatenate(parts))


def _partition(rows: NDArray[np.floating], k: int) -> NDArray[np.floating]:
    return np.partition(rows, -k, axis=1)[:, -k:]
