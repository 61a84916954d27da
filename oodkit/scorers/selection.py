"""The k largest entries of long rows, without sorting them.

On the CPU, NumPy selects: its partition is several times faster than torch's topk, and on arrays this small waiting for
a second thread costs more than it saves.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GROUP = 16  # entries that share one maximum


def largest(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The min(k, n) largest entries of each row, in no order, and their columns.

    On the CPU only the k groups of columns with the largest maxima are looked at: they hold all of the k largest
    entries, up to ties.

    Args:
        rows: (B, n), without NaN.
        k: at least 1.

    Returns:
        Values and int64 columns, both (B, min(k, n)).
    """
    count, n = rows.shape
    k = min(k, n)
    if rows.device.type != "cpu" or n < 2 * GROUP * k:
        top = rows.topk(k, dim=1, sorted=False)
        return top.values, top.indices
    groups = n // GROUP
    grouped = rows[:, : groups * GROUP].view(-1, GROUP, groups)  # group j: columns j, j + groups, ...
    best = _top_columns(grouped.amax(dim=1), k)  # (B, k)
    in_groups = (best[:, None, :] + groups * np.arange(GROUP)[:, None]).reshape(count, -1)  # (B, GROUP * k)
    in_none = np.broadcast_to(np.arange(groups * GROUP, n), (count, n - groups * GROUP))
    columns = np.concatenate([in_groups, in_none], axis=1)
    values = np.take_along_axis(rows.numpy(), columns, axis=1)
    return _keep(torch.from_numpy(values), torch.from_numpy(columns), k)


def merge_largest(values: Tensor, columns: Tensor, more_values: Tensor, more_columns: Tensor) -> None:
    """Keep, in place, the largest of (B, k) and (B, m) entries, in no order."""
    all_values = torch.cat([values, more_values], dim=1)
    all_columns = torch.cat([columns, more_columns], dim=1)
    kept, where = _keep(all_values, all_columns, values.shape[1])
    values.copy_(kept)
    columns.copy_(where)


def _keep(values: Tensor, columns: Tensor, k: int) -> tuple[Tensor, Tensor]:
    if values.device.type != "cpu":
        top = values.topk(k, dim=1, sorted=False)
        return top.values, columns.gather(1, top.indices)
    best = _top_columns(values, k)
    kept, where = np.take_along_axis(values.numpy(), best, axis=1), np.take_along_axis(columns.numpy(), best, axis=1)
    return torch.from_numpy(kept), torch.from_numpy(where)


def _top_columns(rows: Tensor, k: int) -> NDArray[np.intp]:
    entries: NDArray[np.floating] = rows.numpy()
    return entries.argmax(axis=1)[:, None] if k == 1 else np.argpartition(entries, -k, axis=1)[:, -k:]
