"""k-means clusters of fit rows, to stand in for classes."""

from collections.abc import Callable

import torch
from torch import Tensor

from oodkit.clustering.kmeans import kmeans
from oodkit.scorers.checks import check_integer, check_seed
from oodkit.scorers.rows import floating

BLOCK = 2048  # rows that are cast to float64 at once


def cluster_labels(
    features: Tensor, clusters: int, seed: int, prepare: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """The cluster of each row, (N,) int64; one cluster is all rows.

    Args:
        features: (N, D) of any floating dtype; read into memory, as float32 unless they are float64.
        clusters: number of clusters, at least 1.
        seed: of k-means.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.

    Raises:
        InvalidInput: not a number of clusters, or no seed.
        TooFewSamples: more clusters than (different) rows.
    """
    count = check_integer("clusters", clusters, 1)
    seed = check_seed(seed)
    if count == 1:
        return torch.zeros(len(features), dtype=torch.int64, device=features.device)
    dtype = floating(features[:0]).dtype
    rows = torch.cat(
        [(block if prepare is None else prepare(block.double())).to(dtype) for block in torch.split(features, BLOCK)]
    )
    return torch.from_numpy(kmeans(rows.cpu().numpy(), count, seed=seed).assignments).to(features.device)


def clusters_note(clusters: int, labels: Tensor | None) -> list[str]:
    """That labels were given and are not used, if so."""
    return [] if labels is None else [f"labels are ignored: the classes are {clusters} k-means cluster(s)"]
