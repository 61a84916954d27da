"""Neural collapse inspired detector (Liu & Qin, CVPR 2025)."""

import torch
from torch import Tensor
from torch.nn.functional import linear

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_number
from oodkit.scorers.class_means import mean_row
from oodkit.scorers.largest_values import largest_column
from oodkit.scorers.parts import in_parts


class NCI(Scorer):
    """Projection of the predicted class's weight on the centred row, plus a little of the row's L1 length; any real.

    With j the class that the head predicts for z and g the mean of the fit rows,

        score(z) = w_j . (z - g) / ||z - g||  +  alpha ||z||_1

    The first term is at most ||w_j||, and 0 for z = g; it is no cosine, since the length of w_j is kept. The method
    assumes that features have nearly collapsed on their class's weight, as late in training, and, in its second term,
    that they are further from 0 than out-of-distribution ones.

    Parameters
    ----------
    alpha : float, default 0.0001
        Weight of the L1 length, at least 0; 0 leaves it out.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    location_ : (D,) tensor
        g, float64.

    Raises
    ------
    InvalidInput
        No head, or alpha is negative or not finite.

    Notes
    -----
    The default of alpha is that of OpenOOD, which then chooses it on out-of-distribution data; pytorch-ood's is 0.
    For z = g pytorch-ood divides 0 by 0.

    References
    ----------
    L. Liu, Y. Qin. Detecting Out-of-Distribution through the Lens of Neural Collapse. CVPR 2025. arXiv:2311.01479.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    location_: Tensor

    def __init__(self, alpha: float = 1e-4) -> None:
        self.alpha = alpha

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        check_number("alpha", self.alpha, "a number of at least 0", lambda number: number >= 0)
        self.weight_, self.bias_ = (part.clone() for part in train.head)
        self.location_ = mean_row(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        weight, bias, location = self.weight_.to(x.dtype), self.bias_.to(x.dtype), self.location_.to(x.dtype)
        of_location = linear(location, weight, bias)

        def projection(rows: Tensor) -> Tensor:
            logits = linear(rows, weight, bias)
            predicted = largest_column(logits)
            # = w_j . (z - g), the logit is at hand
            return logits.gather(1, predicted[:, None])[:, 0] - of_location[predicted]

        distance: Tensor = torch.linalg.vector_norm(x - location, dim=1)
        away = distance > 0
        collapsed = in_parts(projection, x, len(weight)) * away / torch.where(away, distance, 1)
        size: Tensor = torch.linalg.vector_norm(x, ord=1, dim=1)
        return collapsed + self.alpha * size
