"""Similarity to the nearest cluster of the fit rows, after "Is it all a cluster game?" (2022)."""

from typing import Literal

import torch
from torch import Tensor

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice, check_flag, check_integer, check_number, check_positive, check_seed
from oodkit.scorers.class_covariances import Covariance, class_maps, squared_distances
from oodkit.scorers.class_means import class_directions, class_sums, directions_note
from oodkit.scorers.cluster_labels import cluster_labels, temi_labels
from oodkit.scorers.conformal import LEAST_MEMBERS, Calibration
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.holdout import held_out
from oodkit.scorers.parts import in_parts
from oodkit.scorers.squared_distance import nearest_point, root
from oodkit.scorers.unit_rows import unit_rows
from oodkit.scorers.whitening import Shrinkage

Clustering = Literal["classes", "kmeans", "temi"]
Distance = Literal["cosine", "euclidean", "mahalanobis"]
Threshold = Literal["global", "per_cluster"]
Combination = Literal["nearest", "margin", "soft_min", "z_score"]

CLUSTERS = 10  # where neither a number nor labels are given
BLOCK = 2048  # rows that are cast to float64 at once


class _LabelsForClasses:
    """What Clusters needs: labels, where the classes are to be the clusters."""

    def __get__(self, scorer: "Clusters | None", _: type) -> frozenset[Need]:
        of_classes = scorer is not None and getattr(scorer, "clustering", None) == "classes"
        return frozenset({Need.LABELS}) if of_classes else frozenset()


class Clusters(Scorer):
    """Similarity to the nearest cluster of the fit rows, or its conformal p-value within that cluster.

    With m_c the mean of the fit rows in cluster c, u(z) = z / ||z||, and S the covariance of the fit rows around their
    means, divided by their number, the similarity of a row is

        cosine:       max_c u(z) . u(m_c)                       in [-1, 1]; m_c is the mean of rows of length 1
        euclidean:    -min_c ||z - m_c||                        at most 0
        mahalanobis:  -min_c (z - m_c)' S^-1 (z - m_c)          at most 0

    With `threshold="global"` it is the score. With "per_cluster", as if each cluster had a threshold of its own, the
    score says how usual that similarity s is among held-out fit rows in the same, the nearest, cluster c*:

        score(z) = (1 + #{held-out rows i of c*: s_i <= s(z)}) / (n_c* + 1)        in (0, 1]

    Accepting rows of a score above a then rejects a share a of in-distribution rows, in each cluster alike. A cluster
    with fewer than 20 held-out rows is compared with those of all clusters, and a note says so. The p-value has n + 1
    steps: far rows tie at the lowest.

    Instead of the nearest cluster alone, `combination` can take all into account, with d_c the distance
    1 - u(z) . u(m_c), ||z - m_c|| or (z - m_c)' S^-1 (z - m_c):

        margin:    d_(2) - d_(1), of the two nearest             at least 0
        soft_min:  t log sum_c exp(-d_c / t), t the temperature
        z_score:   -min_c (d_c - mu_c) / sigma_c

    with mu_c and sigma_c the mean and standard deviation of the distance to c of held-out fit rows nearest to it.
    A margin of squared Mahalanobis distances also grows far from all clusters, and a note says so.

    Clusters are found without labels by k-means or by TEMI, or are the classes. An empty cluster is none.

    Parameters
    ----------
    clustering : "kmeans", "temi" or "classes", default "kmeans"
        What the clusters are. TEMI trains heads for minutes; "classes" needs labels. TEMI reads the
        features into memory.
    clusters : int or None, default None
        Number of clusters for k-means and TEMI; None: as many as labels have classes, or 10 without labels.
    distance : "cosine", "euclidean" or "mahalanobis", default "cosine"
        How near a cluster is.
    threshold : "global" or "per_cluster", default "global"
        Whether similarities to different clusters are compared as they are or by their p-value.
    combination : "nearest", "margin", "soft_min" or "z_score", default "nearest"
        What is made of the distances to the clusters; all but "nearest" are for the global threshold.
    temperature : float, default 1.0
        Of "soft_min", in units of the distance.
    normalize : bool, default False
        Scale features to length 1 first; the cosine always does.
    covariance : "shared" or "per_class", default "shared"
        For the Mahalanobis distance: one covariance for all clusters, or one for each, K D^2 numbers of 8 bytes; a
        cluster whose rows vary in too few directions takes the shared one, and a note says so.
    shrinkage : "auto", "none" or "ledoit_wolf", default "auto"
        Whether covariances are shrunk by Ledoit and Wolf's formula: where singular, never (a pseudo-inverse then), or
        always.
    holdout : float, default 0.2
        Share of the fit rows that p-values are counted on, or z-scores made with, and clusters are not made of; for
        "per_cluster" and "z_score" only.
    heads : int, default 4
        Heads of TEMI.
    epochs : int, default 100
        Of TEMI.
    seed : int, default 0
        Of the clustering and of the held-out rows.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters with rows, K.
    location_ : (D,) tensor or None
        What rows are taken relative to, float64; None for the cosine.
    whitening_ : (D, r) or (K, D, D) tensor, or None
        For the Mahalanobis distance: the map in which distances are Euclidean, or one per cluster; float64.
    points_ : (K, D) or (K, r) tensor
        The clusters' means as they are compared: of length 1, relative to `location_`, or mapped by `whitening_`.
    calibration_, starts_, ends_ : tensors or None
        Similarities of held-out rows, ascending for each cluster, and where each cluster's begin and end.
    distance_means_, distance_spreads_ : (K,) tensors or None
        For "z_score": mean and standard deviation of the distance of held-out rows to each cluster, float64.

    Raises
    ------
    InvalidInput
        A parameter is out of its range, no labels for "classes", directions of a single feature, or TEMI's loss is no
        longer finite.
    TooFewSamples
        More clusters than (different) rows, none to hold out, or a single row for the Mahalanobis distance.

    Notes
    -----
    No code of the paper was published; of its study, the abstract alone was at hand. The grid of clusterings and
    distances here is made to answer its question, and is not a copy of its settings. The gradient of the p-value is 0
    or undefined, so `differentiable` is False for "per_cluster". With "classes", `prototypes` and `mahalanobis` give
    the same scores as "cosine", "euclidean" and "mahalanobis" here.

    References
    ----------
    Sinhamahapatra, Koner, Roscher, Guennemann: Is it all a cluster game? Exploring Out-of-Distribution Detection based
    on Clustering in the Embedding Space, 2022, arXiv 2203.08549.
    Adaloglou, Michels, Kalisch, Kollmann: Exploring the Limits of Deep Image Clustering using Pretrained Models,
    BMVC 2023, arXiv 2303.17896 (TEMI).
    Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005 (conformal p-values).
    """

    needs = _LabelsForClasses()
    optional = frozenset({Need.LABELS})

    n_clusters_: int
    location_: Tensor | None
    whitening_: Tensor | None
    points_: Tensor
    calibration_: Tensor | None
    starts_: Tensor | None
    ends_: Tensor | None
    distance_means_: Tensor | None
    distance_spreads_: Tensor | None

    def __init__(
        self,
        clustering: Clustering = "kmeans",
        clusters: int | None = None,
        distance: Distance = "cosine",
        threshold: Threshold = "global",
        combination: Combination = "nearest",
        temperature: float = 1.0,
        normalize: bool = False,
        covariance: Covariance = "shared",
        shrinkage: Shrinkage = "auto",
        holdout: float = 0.2,
        heads: int = 4,
        epochs: int = 100,
        seed: int = 0,
    ) -> None:
        self.clustering = clustering
        self.clusters = clusters
        self.distance = distance
        self.threshold = threshold
        self.combination = combination
        self.temperature = temperature
        self.normalize = normalize
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.holdout = holdout
        self.heads = heads
        self.epochs = epochs
        self.seed = seed

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Whether gradients flow through the score."""
        return self.threshold == "global"

    def _fit(self, train: Train) -> None:
        self._check_parameters()
        features, labels = train.features, train.labels
        if features.shape[1] == 1 and (self.normalize or self.distance == "cosine"):
            raise InvalidInput("rows with 1 feature(s) have no direction but a sign; take distance='euclidean'")
        self.calibration_ = self.starts_ = self.ends_ = self.distance_means_ = self.distance_spreads_ = None
        if self.threshold == "global" and self.combination != "z_score":
            self._fit_clusters(features, labels)
            if self.combination == "margin" and self.n_clusters_ == 1:
                raise TooFewSamples(
                    "combination='margin' needs at least 2 clusters, found 1; take combination='nearest'"
                )
            if self.combination == "margin" and self.distance == "mahalanobis":
                self.notes_.append("a margin of squared distances is largest far from all clusters: far images pass")
            return
        apart = held_out(features, labels, self.holdout, self.seed)
        self._fit_clusters(features[~apart], None if labels is None else labels[~apart])
        if self.combination == "z_score":
            self._standardise(features[apart])
        else:
            self._calibrate(features[apart])

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        if self.combination != "nearest":
            return in_parts(self._combined, x, len(self.points_))
        if self.calibration_ is None:
            return self._similarity(x)[0]
        assert self.starts_ is not None
        assert self.ends_ is not None
        calibration = Calibration(self.calibration_, self.starts_, self.ends_)
        return calibration.p_values(*self._similarity(x.double()))

    def _fit_clusters(self, features: Tensor, labels: Tensor | None) -> None:
        prepare = unit_rows if self.normalize or self.distance == "cosine" else None
        of = self._cluster(features, labels)
        _, of, counts = torch.unique(of, return_inverse=True, return_counts=True)
        self.n_clusters_ = len(counts)
        self.location_ = self.whitening_ = None
        if self.distance == "cosine":
            self.points_ = class_directions(features, of, len(counts))
            self.notes_ += directions_note(self.points_, "clusters")
            return
        if self.distance == "euclidean":
            means = class_sums(features, of, len(counts), prepare) / counts[:, None]
            self.location_ = means.mean(dim=0)
            self.points_ = means - self.location_
            return
        gaussians = class_gaussians(features, of, prepare)
        within = gaussians.whiten_within(self.shrinkage)
        maps = class_maps(features, of, gaussians, within, self.covariance, self.shrinkage, prepare)
        self.location_, self.whitening_, self.points_ = gaussians.mean, maps.matrices, maps.points
        self.notes_ += maps.notes

    def _cluster(self, features: Tensor, labels: Tensor | None) -> Tensor:
        prepare = unit_rows if self.normalize or self.distance == "cosine" else None
        if self.clustering == "classes":
            assert labels is not None
            return labels
        count = self.clusters
        if count is None:
            count = CLUSTERS if labels is None else len(torch.unique(labels))
        if labels is not None:
            used = "not used" if self.clusters is not None else "used for the number of classes alone"
            self.notes_.append(f"labels are {used}: clusters are {count} of {self.clustering}")
        if self.clustering == "kmeans":
            return cluster_labels(features, count, self.seed, prepare)
        return temi_labels(features, count, self.seed, prepare, heads=self.heads, epochs=self.epochs)

    def _calibrate(self, features: Tensor) -> None:
        parts = [self._similarity(part.double()) for part in torch.split(features, BLOCK)]
        similarities, of = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
        found = Calibration.of(similarities, of, self.n_clusters_)
        self.calibration_, self.starts_, self.ends_ = found.scores, found.starts, found.ends
        few = int((torch.bincount(of, minlength=self.n_clusters_) < LEAST_MEMBERS).sum())
        if few and self.n_clusters_ > 1:
            self.notes_.append(
                f"{few} of {self.n_clusters_} clusters have fewer than {LEAST_MEMBERS} held-out rows: they are "
                "compared with those of all clusters"
            )

    def _standardise(self, features: Tensor) -> None:
        parts = [self._distances(part.double()).min(dim=1) for part in torch.split(features, BLOCK)]
        distances, of = torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])
        counts = torch.bincount(of, minlength=self.n_clusters_)

        def mean(values: Tensor, within: Tensor) -> Tensor:
            """Of each cluster; of all held-out rows where a cluster has few."""
            sums = torch.zeros_like(within, dtype=torch.float64).index_add_(0, of, values)
            return torch.where(within < LEAST_MEMBERS, values.mean(), sums / within.clamp(min=1))

        self.distance_means_ = mean(distances, counts)
        spreads = mean((distances - self.distance_means_[of]).square(), counts).sqrt()
        self.distance_spreads_ = torch.where(spreads > 0, spreads, 1.0)

    def _combined(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        distances = self._distances(x)
        if self.combination == "margin":
            nearest = distances.topk(2, dim=1, largest=False).values
            return nearest[:, 1] - nearest[:, 0]
        if self.combination == "soft_min":
            return self.temperature * torch.logsumexp(-distances / self.temperature, dim=1)
        assert self.distance_means_ is not None
        assert self.distance_spreads_ is not None
        return -((distances - self.distance_means_) / self.distance_spreads_).amin(dim=1)

    def _distances(self, x: Tensor) -> Tensor:  # (B, D) -> (B, K)
        x, points = x.double(), self.points_.double()
        if self.distance == "cosine":
            return 1 - unit_rows(x) @ points.T
        assert self.location_ is not None
        x = (unit_rows(x) if self.normalize else x) - self.location_
        if self.whitening_ is not None and self.whitening_.ndim == 3:
            return squared_distances(x, points, self.whitening_)
        x = x if self.whitening_ is None else x @ self.whitening_
        # Not by a product: a row that lies on a mean would lose its digits there.
        distances = torch.cdist(x, points, compute_mode="donot_use_mm_for_euclid_dist")
        return distances if self.whitening_ is None else distances.square()

    def _similarity(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, D) -> (B,) and (B,) of the nearest cluster
        points = self.points_
        if self.distance == "cosine":
            x, points = unit_rows(x), points.to(x.dtype)
            with torch.no_grad():
                nearest = in_parts(lambda part: (part @ points.T).argmax(dim=1), x, len(points))
            return (x * points[nearest]).sum(dim=1).clamp(-1, 1), nearest
        assert self.location_ is not None
        x = unit_rows(x.double()) if self.normalize else x.double()
        x = x - self.location_
        if self.whitening_ is None or self.whitening_.ndim == 2:
            x = x if self.whitening_ is None else x @ self.whitening_
            nearest = nearest_point(x, points)
            squares = (x - points[nearest]).square().sum(dim=1)
            return -(root(squares) if self.whitening_ is None else squares), nearest
        found = in_parts(self._nearest_by_own_map, x, len(points))
        return -found[:, 0], found[:, 1].detach().long()

    def _nearest_by_own_map(self, x: Tensor) -> Tensor:  # (B, D) -> (B, 2), the squared distance and which
        assert self.whitening_ is not None
        least = squared_distances(x, self.points_, self.whitening_).min(dim=1)
        return torch.stack([least.values, least.indices.to(x.dtype)], dim=1)

    def _check_parameters(self) -> None:
        check_choice("clustering", self.clustering, Clustering)
        if self.clusters is not None:
            check_integer("clusters", self.clusters, 1)
        check_choice("distance", self.distance, Distance)
        check_choice("threshold", self.threshold, Threshold)
        check_choice("combination", self.combination, Combination)
        check_positive("temperature", self.temperature)
        if self.combination != "nearest" and self.threshold != "global":
            raise InvalidInput(
                f"combination={self.combination!r} is for threshold='global', got threshold={self.threshold!r}"
            )
        check_flag("normalize", self.normalize)
        check_choice("covariance", self.covariance, Covariance)
        check_choice("shrinkage", self.shrinkage, Shrinkage)
        check_number("holdout", self.holdout, "a number between 0 and 1", lambda share: 0 < share < 1)
        check_integer("heads", self.heads, 1)
        check_integer("epochs", self.epochs, 1)
        check_seed(self.seed)
