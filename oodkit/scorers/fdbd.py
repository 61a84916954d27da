"""Fast decision boundary based detector (Liu & Qin, ICML 2024)."""

import torch
from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.class_means import mean_row
from oodkit.scorers.largest_values import largest_column
from oodkit.scorers.parts import in_parts

SMALLEST_DISTANCE = 1e-8  # to the mean of the fit rows; a row that lies on it would score infinity


class FDBD(Scorer):
    """Mean distance to the decision boundaries, relative to the distance to the mean of the fit rows, at least 0.

    With l = W z + b, the predicted class j and the mean g of the fit rows,

        score(z) = mean over c != j of (l_j - l_c) / ||w_j - w_c||, over ||z - g||

    (l_j - l_c) / ||w_j - w_c|| is the exact Euclidean distance of z to the hyperplane between the two classes. A class
    whose weights equal those of the predicted one has no boundary with it and is left out of the mean; a note says so.
    ||z - g|| counts as at least 1e-8, so that the mean itself has a finite score.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    location_ : (D,) tensor
        g, float64.
    per_boundary_ : (C, C) tensor
        1 / ||w_j - w_c||, divided by the number of boundaries of class j; 0 where there is none; float64.

    Raises
    ------
    InvalidInput
        No head, a single class, or a head whose rows are all equal.

    Notes
    -----
    The mean over C - 1 boundaries is the paper's and pytorch-ood's; OpenOOD takes the sum, a constant factor. OpenOOD
    can also divide by ||z||, chosen on out-of-distribution data; this one does not.

    References
    ----------
    L. Liu, Y. Qin. Fast Decision Boundary based Out-of-Distribution Detector. ICML 2024. arXiv:2312.11536.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    location_: Tensor
    per_boundary_: Tensor

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        self.weight_, self.bias_ = (part.clone() for part in train.head)
        classes = len(self.weight_)
        if classes == 1:
            raise InvalidInput("FDBD needs a head of at least 2 classes: 1 class has no decision boundary")
        weight = self.weight_.double()
        # not by a matrix product, which would give equal rows a distance from rounding
        distance = torch.cdist(weight, weight, compute_mode="donot_use_mm_for_euclid_dist")
        boundaries = (distance > 0).sum(dim=1)
        if int(boundaries.min()) == 0:
            raise InvalidInput(f"FDBD needs different classes: all {classes} rows of the head's weight are equal")
        without = int((boundaries < classes - 1).sum())
        if without:
            self.notes_.append(f"{without} of {classes} classes share their weights with another: no boundary there")
        self.per_boundary_ = torch.where(distance > 0, 1 / distance, 0) / boundaries[:, None]
        self.location_ = mean_row(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        weight, bias = self.weight_.to(x.dtype), self.bias_.to(x.dtype)
        per_boundary = self.per_boundary_.to(x.dtype)

        def to_boundaries(rows: Tensor) -> Tensor:
            logits = linear(rows, weight, bias)
            predicted = largest_column(logits)
            return ((logits.gather(1, predicted[:, None]) - logits) * per_boundary[predicted]).sum(dim=1)

        distance: Tensor = torch.linalg.vector_norm(x - self.location_.to(x.dtype), dim=1)
        return in_parts(to_boundaries, x, 3 * len(weight)) / distance.clamp(min=SMALLEST_DISTANCE)
