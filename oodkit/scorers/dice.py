"""DICE: only the weights that contribute most (Sun & Li, ECCV 2022)."""

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_percentile
from oodkit.scorers.class_means import mean_row
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.percentiles import pooled_percentiles


class DICE(Scorer):
    """Energy of the logits of a head that keeps only the weights that contribute most; any real number.

    With the head's W and b and g the mean of the fit rows, weight w_cj contributes v_cj = w_cj g_j on average, and

        score(z) = LSE((W * M) z + b),   M_cj = 1 if v_cj > t else 0

    where t is the given percentile of all C x D contributions together. A contribution equal to t is dropped: with
    percentile=0 that is the smallest one (and what equals it), and only it.

    Parameters
    ----------
    percentile : float, default 90
        Of the contributions, 0 to below 100, interpolated linearly: the share of weights, in per cent, that is dropped.

    Attributes
    ----------
    weight_ : (C, D) tensor
        W * M, zero where a weight was dropped.
    bias_ : (C,) tensor
        The head's.
    threshold_ : float
        t.

    Raises
    ------
    InvalidInput
        No head; percentile is outside 0 .. 100; or no contribution is above t, because the percentile is 100 or so many
        contributions are equal, as with fit features that are all 0.

    Notes
    -----
    The rule is that of the authors' code: thresholds over all classes together, and strictly above. Where OpenOOD and
    pytorch-ood would go on with a head without any weight, whose score is the same for every row, this is an error.
    pytorch-ood has no default percentile.

    References
    ----------
    Y. Sun, Y. Li: DICE: Leveraging Sparsification for Out-of-Distribution Detection. ECCV 2022. arXiv:2111.09805.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    threshold_: float

    def __init__(self, percentile: float = 90) -> None:
        self.percentile = percentile

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        check_percentile("percentile", self.percentile)
        contributions = train.head.weight.to(torch.float64) * mean_row(train.features)  # (C, D)
        (self.threshold_,) = pooled_percentiles(contributions, [self.percentile])
        kept = contributions > self.threshold_
        if not bool(kept.any()):
            raise InvalidInput(
                f"none of the {kept.numel()} contributions of weights is above the percentile {self.percentile} of "
                "them, so no weight is left; lower it, or give features whose mean is not 0"
            )
        self.weight_ = torch.where(kept, train.head.weight, 0)
        self.bias_ = train.head.bias.clone()

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        return head_energy(x, self.weight_, self.bias_)
