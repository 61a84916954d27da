"""Clusters of fit rows, to stand in for classes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
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
        features: (N, D) of any floating dtype; read into memory, as float32 unless they are float64.
        clusters: number of clusters, at least 1.
        seed: of k-means.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.

    Raises:
        InvalidInput: not a number of clusters, or no seed.
        TooFewSamples: more clusters than (different) rows.
    """
    return _labels(kmeans, features, clusters, check_seed(seed), prepare)


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
    return _labels(partial(temi, heads=heads, epochs=epochs), features, clusters, check_seed(seed), prepare)


def clusters_note(clusters: int, labels: Tensor | None) -> list[str]:
    """That labels were given and are not used, if so."""
    return [] if labels is None else [f"labels are ignored: the classes are {clusters} k-means cluster(s)"]


def _labels(
    method: Callable[..., Any],
    features: Tensor,
    clusters: int,
    seed: int,
    prepare: Callable[[Tensor], Tensor] | None,
) -> Tensor:
    count = check_integer("clusters", clusters, 1)
    if count == 1:
        return torch.zeros(len(features), dtype=torch.int64, device=features.device)
    dtype = floating(features[:0]).dtype
    rows = torch.cat(
        [(block if prepare is None else prepare(block.double())).to(dtype) for block in torch.split(features, BLOCK)]
    )
    return torch.from_numpy(method(rows.cpu().numpy(), count, seed=seed).assignments).to(features.device)
