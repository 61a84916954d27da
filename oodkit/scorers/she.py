"""Simplified Hopfield energy (Zhang et al., ICLR 2023)."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice
from oodkit.scorers.class_means import class_sums
from oodkit.scorers.largest_values import largest_column
from oodkit.scorers.parts import in_parts
from oodkit.scorers.unit_rows import unit_rows

Metric = Literal["dot", "cosine", "euclidean"]


class SHE(Scorer):
    """Similarity to the pattern of the predicted class: an inner product, any real number.

    With P_c the mean of the fit rows of class c that the head predicts correctly, and j the class it predicts for z,

        score(z) = z . P_j           metric = dot
                   cos(z, P_j)       metric = cosine, in [-1, 1]; 0 for a zero row
                   -||z - P_j||      metric = euclidean, at most 0

    Labels are the head's: label c is row c of its weight. Where no fit row of a class is predicted correctly, its
    pattern is the mean of all its fit rows, and a note says so.

    Parameters
    ----------
    metric : {"dot", "cosine", "euclidean"}, default "dot"
        How a row is compared with the pattern; "dot" is the paper's.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    patterns_ : (C, D) tensor
        The pattern of each class, float64.

    Raises
    ------
    InvalidInput
        No labels, no head, an unknown metric, a label that is no class of the head, or a class without fit rows.

    Notes
    -----
    For a class without a correctly predicted row OpenOOD's pattern is NaN and pytorch-ood refuses to fit.

    References
    ----------
    J. Zhang, Q. Fu, X. Chen, L. Du, Z. Li, G. Wang, X. Liu, S. Han, D. Zhang. Out-of-Distribution Detection based on
    In-Distribution Data Patterns Memorization with Modern Hopfield Energy. ICLR 2023.
    """

    needs = frozenset({Need.LABELS, Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    patterns_: Tensor

    def __init__(self, metric: Metric = "dot") -> None:
        self.metric = metric

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        assert train.labels is not None
        check_choice("metric", self.metric, Metric)
        self.weight_, self.bias_ = (part.clone() for part in train.head)
        labels, classes = train.labels, len(self.weight_)
        least, most = int(labels.min()), int(labels.max())
        if not 0 <= least <= most < classes:
            raise InvalidInput(f"labels must be classes of the head, 0 to {classes - 1}, got {least} to {most}")
        predicted = in_parts(lambda rows: self._predict(rows.double()), train.features, max(self.weight_.shape))
        groups = 2 * labels + (predicted == labels)  # of class c: 2 c wrong, 2 c + 1 right
        counts = torch.bincount(groups, minlength=2 * classes).view(classes, 2)
        empty = (counts.sum(dim=1) == 0).nonzero().flatten()
        if len(empty):
            raise InvalidInput(
                f"{len(empty)} of the head's {classes} classes have no fit samples, the first is class "
                f"{int(empty[0])}; give some of each, or a head without them"
            )
        sums = class_sums(train.features, groups, 2 * classes).view(classes, 2, -1)
        never = counts[:, 1] == 0
        if bool(never.any()):
            self.notes_.append(
                f"{int(never.sum())} of {classes} classes have no correctly predicted fit sample: "
                "their pattern is the mean of all their samples"
            )
        right = sums[:, 1] / counts[:, 1:].clamp(min=1)
        self.patterns_ = torch.where(never[:, None], sums.sum(dim=1) / counts.sum(dim=1, keepdim=True), right)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        patterns = self.patterns_.to(x.dtype)[in_parts(self._predict, x, len(self.weight_))]  # (B, D)
        if self.metric == "euclidean":
            distance: Tensor = torch.linalg.vector_norm(x - patterns, dim=1)
            return -distance
        if self.metric == "cosine":
            return (unit_rows(x) * unit_rows(patterns)).sum(dim=1).clamp(-1, 1)
        return (x * patterns).sum(dim=1)

    def _predict(self, rows: Tensor) -> Tensor:
        return largest_column(linear(rows.detach(), self.weight_.to(rows.dtype), self.bias_.to(rows.dtype)))
