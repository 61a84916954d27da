"""Clusters of one data set: found on its train images, compared with classes on its test images."""

import inspect
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.clustering import (
    Figures,
    Quality,
    clustering_figures,
    clustering_quality,
    kmeans,
    temi,
    upper_cluster_bound,
    utilisation,
)
from oodkit.data import ImageSet, load_fit_and_test, take
from oodkit.embedding import Embeddings, embed
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput, nearest_names
from oodkit.evaluation.versions import library_versions
from oodkit.progress import progress
from oodkit.scorers.squared_distance import nearest_point
from oodkit.scorers.unit_rows import unit_rows

BLOCK = 8192  # rows that are assigned at once

Assign = Callable[[NDArray[Any]], NDArray[np.int64]]
Found = tuple[NDArray[np.int64], Assign, float | None]  # clusters of fit rows, how others are assigned, the loss


@dataclass(frozen=True)
class ClusteringRun:
    """One clustering under one seed.

    Attributes:
        seed: of the clustering.
        figures: agreement with the classes of the test images, as fractions; None where these have no labels.
        quality: how compact and how far apart the clusters of the test images are.
        used, utilisation: how many of the clusters have fit images, and their share of all clusters.
        fit_sizes, test_sizes: number of images in each cluster.
        loss: training loss of TEMI's best head; None for k-means.
        seconds: time of the clustering.
        fit_clusters, test_clusters: cluster of each image.
    """

    seed: int
    figures: Figures | None
    quality: Quality
    used: int
    utilisation: float
    fit_sizes: list[int]
    test_sizes: list[int]
    loss: float | None
    seconds: float
    fit_clusters: NDArray[np.int64] = field(repr=False, compare=False)
    test_clusters: NDArray[np.int64] = field(repr=False, compare=False)


@dataclass(frozen=True)
class ClusteringReport:
    """What `cluster` found.

    Attributes:
        in_: name of the data set.
        backbone: full name of the backbone.
        method: "kmeans" or "temi".
        clusters: how many were asked for.
        params: the method's settings.
        n_fit, n_test: number of images.
        runs: one for each seed.
        curve: share of clusters that are used, by number of clusters, where a grid was asked for.
        bound: largest number of the grid at which, and below which, nearly all clusters are used; None for none.
        settings: image size, precision, limit, seed and versions.
        notes: what the user should know.
        test: the test images, for a picture.
        fit_ids: of the fit images.
    """

    in_: str
    backbone: str
    method: str
    clusters: int
    params: dict[str, Any]
    n_fit: int
    n_test: int
    runs: tuple[ClusteringRun, ...]
    curve: dict[int, float]
    bound: int | None
    settings: dict[str, Any]
    notes: tuple[str, ...]
    test: ImageSet = field(repr=False, compare=False)
    fit_ids: tuple[str, ...] = field(repr=False, compare=False)

    def mean(self) -> Figures | None:
        """Mean figures over the runs; None without labels."""
        found = [run.figures for run in self.runs if run.figures is not None]
        return Figures(*np.mean(found, axis=0).tolist()) if found else None

    def to_dict(self) -> dict[str, Any]:
        """Everything but arrays and images, for JSON."""
        runs = []
        for run in self.runs:
            hidden = ("figures", "quality", "fit_clusters", "test_clusters")
            shown = {name: value for name, value in vars(run).items() if name not in hidden}
            runs.append({**(run.figures._asdict() if run.figures else {}), **run.quality._asdict(), **shown})
        mean = self.mean()
        left_out = ("runs", "test", "fit_ids", "in_", "curve")
        return {
            "in": self.in_,
            **{name: value for name, value in vars(self).items() if name not in left_out},
            "mean": mean._asdict() if mean else None,
            "runs": runs,
            "curve": [{"clusters": clusters, "utilisation": ratio} for clusters, ratio in self.curve.items()],
        }


def cluster(
    in_: str,
    *,
    clusters: int | None = None,
    method: str = "kmeans",
    runs: int = 1,
    grid: Sequence[int] = (),
    params: Mapping[str, Any] | None = None,
    backbone: Backbone | str = "efficientnet_lite0",
    limit: int | None = None,
    seed: int = 0,
    data_root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
) -> ClusteringReport:
    """Cluster the train images of a data set; compare the clusters of its test images with their classes.

    Labels are used for the figures alone, and for the number of clusters where none is given.

    Args:
        in_: name of the data set; one with a single split is halved by the seed.
        clusters: number of clusters; None: as many as there are classes.
        method: "kmeans" or "temi".
        runs: clusterings, under the seeds `seed`, `seed + 1`, ...
        grid: numbers of clusters to find the upper cluster bound on; each is one more clustering, under `seed`.
        params: the method's settings by name, as `kmeans` and `temi` take them.
        backbone: a backbone, or a name for `load_backbone`.
        limit: use at most this many images of each split, drawn by the seed.
        seed: of the first clustering, and for halving and limiting.
        data_root: folder of data sets; None for the usual one.
        cache: folder of the embedding store; None for the usual one.
        skip_unreadable: leave out images that cannot be read instead of stopping.

    Raises:
        OodkitError: a name is unknown, data are missing, there are fewer than two clusters or more than images, a
            setting is out of range, or the loss is no longer finite.
    """
    find = _method(method)
    given = dict(params or {})
    _check_params(method, given)
    if runs != int(runs) or runs < 1:
        raise InvalidInput(f"runs must be an integer of at least 1, got {runs}")
    halves = load_fit_and_test(in_, data_root=data_root, seed=seed)
    sets = [images if limit is None else take(images, limit, seed) for images in (halves.fit, halves.test)]
    count = _count(in_, clusters, sets[0])
    for asked in (count, *grid):
        if not 2 <= asked <= len(sets[0]):
            limits = f"from 2 to {len(sets[0]):,}, the number of fit images of {in_}"
            raise InvalidInput(f"clusters must be {limits}, got {asked}")
    if isinstance(backbone, str):
        backbone = load_backbone(backbone)
    fit, test = (embed(images, backbone, cache=cache, skip_unreadable=skip_unreadable) for images in sets)
    numbers = sorted({int(number) for number in grid})
    label = f"clustering by {method}"
    with training_checkpoints(cache), progress(label, runs + len(numbers), unit="runs") as advance:
        found = []
        for number in range(int(runs)):
            found.append(_run(find, fit, test, count, seed + number, given))
            advance()
        curve = {}
        for number in numbers:
            again = number == count
            curve[number] = found[0].utilisation if again else _used(find, fit, number, seed, given)
            advance()
    return ClusteringReport(
        in_=in_,
        backbone=backbone.name,
        method=method,
        clusters=count,
        params={**_defaults(method), **given},
        n_fit=len(fit),
        n_test=len(test),
        runs=tuple(found),
        curve=curve,
        bound=upper_cluster_bound(curve),
        settings={
            "image_size": backbone.image_size,
            "precision": backbone.numerics,
            "limit": limit,
            "seed": seed,
            "versions": library_versions(),
        },
        notes=tuple(_notes(halves.note, fit, test, method, found, count)),
        test=_read(sets[1], test),
        fit_ids=fit.ids,
    )


def _temi(features: NDArray[Any], count: int, **settings: Any) -> Found:
    made = temi(features, count, **settings)
    return made.assignments, made.predict, float(made.losses[made.head])


def _kmeans(features: NDArray[Any], count: int, **settings: Any) -> Found:
    made = kmeans(features, count, **settings)
    spherical = settings.get("spherical", False)
    centres = torch.from_numpy(made.centres)
    middle = centres.mean(dim=0)

    def assign(rows: NDArray[Any]) -> NDArray[np.int64]:
        parts = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
        exact = (torch.from_numpy(np.asarray(part, np.float64)) for part in parts)
        near = [nearest_point((unit_rows(x) if spherical else x) - middle, centres - middle) for x in exact]
        assigned: NDArray[np.int64] = torch.cat(near).numpy()
        return assigned

    return made.assignments, assign, None


_METHODS: dict[str, tuple[Callable[..., Found], Callable[..., Any]]] = {
    "kmeans": (_kmeans, kmeans),
    "temi": (_temi, temi),
}


def _method(name: str) -> Callable[..., Found]:
    if name not in _METHODS:
        raise InvalidInput(f"method must be one of {', '.join(_METHODS)}, got {name!r}")
    return _METHODS[name][0]


def _defaults(method: str) -> dict[str, Any]:
    parameters = inspect.signature(_METHODS[method][1]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"}


def _check_params(method: str, given: Mapping[str, Any]) -> None:
    known = list(_defaults(method))
    for name in given:
        if name not in known:
            near = nearest_names(name, known)
            hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
            raise InvalidInput(f"{method} has no parameter {name!r}; {hint}it takes {', '.join(known)}")


def _count(in_: str, clusters: int | None, images: ImageSet) -> int:
    if clusters is not None:
        if clusters != int(clusters):
            raise InvalidInput(f"clusters must be an integer, got {clusters}")
        return int(clusters)
    if images.labels is None:
        raise InvalidInput(f"{in_} has no labels to count classes by; give the number of clusters (--clusters N)")
    return len(np.unique(images.labels))


def _run(
    find: Callable[..., Found],
    fit: Embeddings,
    test: Embeddings,
    count: int,
    seed: int,
    settings: Mapping[str, Any],
) -> ClusteringRun:
    started = time.perf_counter()
    assignments, assign, loss = find(np.asarray(fit.features), count, seed=seed, **settings)
    seconds = time.perf_counter() - started
    tested = assign(np.asarray(test.features))
    used = utilisation(assignments, count)
    return ClusteringRun(
        seed=seed,
        figures=None if test.labels is None else clustering_figures(tested, test.labels),
        quality=clustering_quality(np.asarray(test.features), tested),
        used=used.used,
        utilisation=used.ratio,
        fit_sizes=np.bincount(assignments, minlength=count).tolist(),
        test_sizes=np.bincount(tested, minlength=count).tolist(),
        loss=loss,
        seconds=round(seconds, 3),
        fit_clusters=assignments,
        test_clusters=tested,
    )


def _used(
    find: Callable[..., Found],
    fit: Embeddings,
    count: int,
    seed: int,
    settings: Mapping[str, Any],
) -> float:
    return utilisation(find(np.asarray(fit.features), count, seed=seed, **settings)[0], count).ratio


def _notes(
    halved: str | None,
    fit: Embeddings,
    test: Embeddings,
    method: str,
    found: Sequence[ClusteringRun],
    count: int,
) -> list[str]:
    notes = [halved] if halved else []
    notes += [f"{len(part.skipped)} unreadable images left out of {part.split}" for part in (fit, test) if part.skipped]
    if test.labels is None:
        notes.append("the test images have no labels: there is nothing to compare clusters with")
    empty = [run.seed for run in found if run.used < count]
    if empty:
        notes.append(
            f"{method} leaves clusters empty under {len(empty)} of {len(found)} seeds; --clusters may be lower"
        )
    return notes


def _read(images: ImageSet, part: Embeddings) -> ImageSet:
    """The images that were embedded, without those that were skipped."""
    if len(part) == len(images):
        return images
    kept = set(part.ids)
    return images.subset([i for i, name in enumerate(images.ids) if name in kept])
