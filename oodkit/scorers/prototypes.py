"""Similarity to the nearest class prototype: cosine, or minus the Euclidean distance."""

from typing import Literal

import torch
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice
from oodkit.scorers.class_means import class_directions, class_sums, directions_note
from oodkit.scorers.parts import in_parts
from oodkit.scorers.squared_distance import root, squared_distance_to_nearest
from oodkit.scorers.unit_rows import unit_rows

Metric = Literal["cosine", "euclidean"]


class Prototypes(Scorer):
    """Cosine similarity to the nearest class prototype, in [-1, 1], or minus the Euclidean distance, at most 0.

    With u(z) = z / ||z||, the prototype of a class is the mean of its fit rows: of u(z_i) for the cosine, of z_i for
    the Euclidean distance:

        cosine:     score(z) = max_c u(z) . u(p_c)
        euclidean:  score(z) = -min_c ||z - p_c||

    The number of rows in a class does not matter. A zero row, and a class whose directions cancel, have cosine 0; the
    latter is said in a note.

    Parameters
    ----------
    metric : "cosine" or "euclidean", default "cosine"
        How near a prototype is.

    Attributes
    ----------
    n_classes_ : int
        Number of classes, C.
    location_ : (D,) tensor or None
        Mean of the prototypes, float64, that Euclidean rows and prototypes are taken relative to.
    prototypes_ : (C, D) tensor
        Float64, in ascending order of label; of length 1 for the cosine, relative to `location_` otherwise.

    Raises
    ------
    InvalidInput
        No labels, or another metric.

    Notes
    -----
    Methods that train prototypes, such as CIDER, can be scored this way, though their authors' score is k nearest
    neighbours. The squared Euclidean distance is the Mahalanobis distance with the identity as covariance.

    References
    ----------
    Ming, Sun, Dia, Li: How to Exploit Hyperspherical Embeddings for Out-of-Distribution Detection?, ICLR 2023,
    arXiv 2203.04450 (trained prototypes).
    Snell, Swersky, Zemel: Prototypical Networks for Few-shot Learning, NeurIPS 2017, arXiv 1703.05175 (class means).
    """

    needs = frozenset({Need.LABELS})

    n_classes_: int
    location_: Tensor | None
    prototypes_: Tensor

    def __init__(self, metric: Metric = "cosine") -> None:
        self.metric = metric

    def _fit(self, train: Train) -> None:
        check_choice("metric", self.metric, Metric)
        assert train.labels is not None
        _, classes, counts = torch.unique(train.labels, return_inverse=True, return_counts=True)
        self.n_classes_ = len(counts)
        if self.metric == "euclidean":
            means = class_sums(train.features, classes, len(counts)) / counts[:, None]
            self.location_ = means.mean(dim=0)
            self.prototypes_ = means - self.location_
            return
        self.location_, self.prototypes_ = None, class_directions(train.features, classes, len(counts))
        self.notes_ += directions_note(self.prototypes_, "classes")

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        prototypes = self.prototypes_.to(x.dtype)
        if self.location_ is None:
            cosines = in_parts(lambda units: (units @ prototypes.T).amax(dim=1), unit_rows(x), len(prototypes))
            return cosines.clamp(-1, 1)
        return -root(squared_distance_to_nearest(x - self.location_.to(x.dtype), prototypes))
