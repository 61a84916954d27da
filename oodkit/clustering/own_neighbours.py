"""The nearest other rows of each row, by cosine: exact, in blocks."""

import torch
from torch import Tensor

ROWS, COLUMNS = 1024, 16384  # cosines that are held at once


def nearest_others(features: Tensor, k: int) -> Tensor:
    """Where the k rows of largest cosine with each row are, itself left out.

    A row is left out by its place, so a copy of it elsewhere counts. A zero row has cosine 0 with every row.

    Args:
        features: (N, D) of any floating dtype; computed in float32.
        k: 1 <= k < N.

    Returns:
        (N, k) int64, nearest first.
    """
    assert 1 <= k < len(features), "k must leave out the row itself"
    found = [_nearest(features, start, k) for start in range(0, len(features), ROWS)]
    return torch.cat(found)


def _nearest(features: Tensor, first: int, k: int) -> Tensor:
    rows = _unit(features[first : first + ROWS])
    values = rows.new_empty(len(rows), 0)
    places = torch.empty(len(rows), 0, dtype=torch.int64, device=rows.device)
    for start in range(0, len(features), COLUMNS):
        cosines = rows @ _unit(features[start : start + COLUMNS]).T
        if -len(rows) < first - start < cosines.shape[1]:
            cosines.diagonal(first - start).fill_(-torch.inf)
        top = cosines.topk(min(k, cosines.shape[1]), dim=1)
        values, places = torch.cat([values, top.values], dim=1), torch.cat([places, top.indices + start], dim=1)
        best = values.topk(min(k, values.shape[1]), dim=1)
        values, places = best.values, places.gather(1, best.indices)
    return places


def _unit(rows: Tensor) -> Tensor:
    rows = rows.to(torch.float32)
    scaled = rows / rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    return torch.nn.functional.normalize(scaled, dim=1)
