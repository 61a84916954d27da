"""Centres of k-means for rows that are held, by scikit-learn or faiss."""

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from oodkit.clustering.faiss_package import require_faiss
from oodkit.errors import TooFewSamples

Engine = Literal["sklearn", "faiss"]

Found = tuple[NDArray[np.int32] | None, NDArray[np.float64]]  # clusters of the rows where they are known, centres


@dataclass(frozen=True)
class Search:
    """How centres are searched for.

    Attributes:
        engine: "sklearn", from k-means++ starts, or "faiss", from random ones and in float32.
        clusters: K.
        restarts: number of starts, of which the best is kept.
        iterations: at most so many per start.
        seed: of the starts.
    """

    engine: Engine
    clusters: int
    restarts: int
    iterations: int
    seed: int

    def run(self, rows: NDArray[np.floating], weights: NDArray[np.float64] | None = None) -> Found:
        """Search.

        Args:
            rows: (N, D).
            weights: (N,) how often each row counts; None for once.

        Returns:
            (N,) clusters, each of which has a row, or None where the engine gives none; and (K, D) centres.

        Raises:
            MissingDependency: the engine is not installed.
            TooFewSamples: there are fewer than K different rows, as far as the engine finds out.
        """
        return self._by_faiss(rows, weights) if self.engine == "faiss" else self._by_sklearn(rows, weights)

    def _by_sklearn(self, rows: NDArray[np.floating], weights: NDArray[np.float64] | None) -> Found:
        model = KMeans(self.clusters, n_init=self.restarts, max_iter=self.iterations, random_state=self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # says that clusters are missing: an error below
            labels: NDArray[np.int32] = model.fit_predict(rows, sample_weight=weights)
        different = len(np.unique(labels))
        if different < self.clusters:
            raise TooFewSamples(
                f"clusters={self.clusters} needs as many different rows, found {different}; lower clusters"
            )
        return labels, model.cluster_centers_.astype(np.float64)

    def _by_faiss(self, rows: NDArray[np.floating], weights: NDArray[np.float64] | None) -> Found:
        model = require_faiss("engine='faiss' of k-means").Kmeans(
            rows.shape[1],
            self.clusters,
            niter=int(self.iterations),
            nredo=int(self.restarts),
            seed=int(self.seed) % 2**31,
            min_points_per_centroid=1,  # else it complains on stderr
            max_points_per_centroid=len(rows),  # else it takes some of the rows only
        )
        weight = None if weights is None else weights.astype(np.float32)
        scale = math.ldexp(1.0, -math.frexp(float(np.abs(rows).max()))[1])  # squares beyond float32 end the process
        model.train(np.ascontiguousarray(rows * scale, dtype=np.float32), weights=weight)
        return None, model.centroids.astype(np.float64) / scale
