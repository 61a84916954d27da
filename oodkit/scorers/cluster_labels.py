"""Clusters of fit rows, to stand in for classes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.clustering.kmeans import kmeans
from oodkit.clustering.temi import temi
from oodkit.scorers.checks import check_integer, check_seed
from oodkit.scorers.rows import floating

BLOCK = 2048  # rows that are cast to float64 at once


def cluster_labels(
    features: Tensor, clusters: int, seed: int, prepare: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """The k-means cluster of each row, (N,) int64; one cluster is all rows.

    Args:
        features: (N, D) of any floating dtype; clustered as float32 unless they are float64.
        clusters: number of clusters, at least 1.
        seed: of k-means.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.

    Raises:
        InvalidInput: not a number of clusters, or no seed.
        TooFewSamples: more clusters than (different) rows.
    """
    seed = check_seed(seed)
    return _labels(_Prepared(features, prepare), clusters, lambda rows, count: kmeans(rows, count, seed=seed))


def temi_labels(
    features: Tensor,
    clusters: int,
    seed: int,
    prepare: Callable[[Tensor], Tensor] | None = None,
    *,
    heads: int,
    epochs: int,
) -> Tensor:
    """The TEMI cluster of each row, (N,) int64; one cluster is all rows, and of others some may be empty.

    Args:
        features: (N, D) of any floating dtype; read into memory, as float32 unless they are float64.
        clusters: number of clusters, at least 1.
        seed: of TEMI.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.
        heads, epochs: of TEMI; its other settings are its usual ones.

    Raises:
        InvalidInput: not a number of clusters, no seed, or heads or epochs out of range.
        TooFewSamples: more clusters than rows.
    """
    heads, epochs = check_integer("heads", heads, 1), check_integer("epochs", epochs, 1)
    find = partial(temi, seed=check_seed(seed), heads=heads, epochs=epochs)
    return _labels(_Prepared(features, prepare), clusters, lambda rows, count: find(rows[:], count))


def clusters_note(clusters: int, labels: Tensor | None) -> list[str]:
    """That labels were given and are not used, if so."""
    return [] if labels is None else [f"labels are ignored: the classes are {clusters} k-means cluster(s)"]


class _Prepared:
    """Rows that are prepared when they are asked for, so that many of them need not be held."""

    def __init__(self, features: Tensor, prepare: Callable[[Tensor], Tensor] | None) -> None:
        self.features, self._prepare = features, prepare
        self._dtype = floating(features[:0]).dtype
        self.shape: tuple[int, ...] = tuple(features.shape)
        self.dtype = np.dtype(np.float64 if self._dtype == torch.float64 else np.float32)

    def __getitem__(self, which: Any) -> NDArray[Any]:
        blocks = torch.split(self.features[which], BLOCK)
        prepare = self._prepare
        made = [(block if prepare is None else prepare(block.double())).to(self._dtype) for block in blocks]
        return torch.cat(made).cpu().numpy()


def _labels(rows: _Prepared, clusters: int, find: Callable[[_Prepared, int], Any]) -> Tensor:
    count, device = check_integer("clusters", clusters, 1), rows.features.device
    if count == 1:
        return torch.zeros(rows.shape[0], dtype=torch.int64, device=device)
    return torch.from_numpy(find(rows, count).assignments).to(device)
