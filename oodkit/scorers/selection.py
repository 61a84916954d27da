"""The k largest entries of long rows, without sorting them."""

import numpy as np
import torch
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
    n = rows.shape[1]
    k = min(k, n)
    if rows.device.type != "cpu" or n < 2 * GROUP * k:
        values, columns = rows.topk(k, dim=1, sorted=False)
        return values, columns
    groups = n // GROUP
    grouped = rows[:, : groups * GROUP].view(-1, GROUP, groups)  # group j: columns j, j + groups, ...
    best = _top_columns(grouped.amax(dim=1), k)  # (B, k)
    offsets = torch.arange(GROUP)[:, None] * groups  # (GROUP, 1)
    columns = (offsets + best[:, None, :]).flatten(1)  # (B, GROUP * k)
    rest = torch.arange(groups * GROUP, n).expand(len(rows), -1)
    columns = torch.cat([columns, rest], dim=1)
    values = rows.gather(1, columns)
    chosen = _top_columns(values, k)
    return values.gather(1, chosen), columns.gather(1, chosen)


def merge_largest(values: Tensor, columns: Tensor, more_values: Tensor, more_columns: Tensor) -> None:
    """Keep, in place, the largest of (B, k) and (B, m) entries, in descending order."""
    all_values = torch.cat([values, more_values], dim=1)
    kept, order = all_values.topk(values.shape[1], dim=1)
    values.copy_(kept)
    columns.copy_(torch.cat([columns, more_columns], dim=1).gather(1, order))


def _top_columns(rows: Tensor, k: int) -> Tensor:
    """(B, k) columns of the k largest; NumPy's partition is several times faster than torch's topk here."""
    if k == 1:
        return rows.argmax(dim=1, keepdim=True)
    return torch.from_numpy(np.argpartition(rows.numpy(), -k, axis=1)[:, -k:].copy())
