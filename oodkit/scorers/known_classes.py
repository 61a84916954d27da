"""Fit rows whose label is a column of the logits."""

from collections.abc import Iterator

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.rows import floating

BLOCK = 2**21  # logits that are held in float64 at once


def known_classes(logits: Tensor, labels: Tensor) -> tuple[Tensor, list[str]]:
    """Which rows have a class that the classifier knows, and a note on those that do not.

    Args:
        logits: (N, C).
        labels: (N,) integers; 0 to C - 1 are columns.

    Returns:
        (N,) bool, and a list of no or one notes.

    Raises:
        InvalidInput: no label is a column.
    """
    n, width = logits.shape
    known = (labels >= 0) & (labels < width)
    missing = n - int(known.sum())
    if missing == n:
        raise InvalidInput(
            f"labels must be columns of the logits, 0 to {width - 1} (n_features = {width}), and none of {n} is; "
            "number the classes as the classifier does"
        )
    if not missing:
        return known, []
    return known, [f"{missing} of {n} rows were left out: their label is no column of the logits, 0 to {width - 1}"]


def chosen_blocks(logits: Tensor, labels: Tensor, chosen: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The rows where `chosen` (N,) is true, in float64, and their labels, block by block."""
    size = max(1, BLOCK // logits.shape[1])
    for rows, of, take in zip(*(torch.split(values, size) for values in (logits, labels, chosen)), strict=True):
        yield floating(rows[take]).double(), of[take]
