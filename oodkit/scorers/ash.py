"""ASH: activations pruned and sharpened, row by row (Djurisic et al., ICLR 2023)."""

from typing import Literal

import torch
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.shaping import kept_count, largest_entries, sharpened_count, sharpening, sign_note

Variant = Literal["p", "b", "s"]


class ASH(Scorer):
    """Energy of the logits of activations of which only the largest are kept; any real number.

    Of each row z the k = D - round(D percentile / 100) largest activations are kept, the others become 0. With s1 the
    sum of all activations of the row and s2 that of those that are kept, a kept z_j becomes

        variant "p" (prune):     z_j
        variant "b" (binarise):  s1 / k
        variant "s" (sharpen):   z_j exp(s1 / s2)

    and the score is LSE(W z' + b), with the head's W and b. The method is for activations after a ReLU: where fit
    features are negative, `notes_` says so. For such rows s2 can be 0 or negative, and the factor of "s" has no
    meaning; it is then 0, its limit as s2 falls to 0, so that the score is LSE(b).

    Parameters
    ----------
    variant : {"p", "b", "s"}, default "s"
        What becomes of the activations that are kept.
    percentile : float, default 90
        Share of activations, in per cent, that is pruned, 0 to 100; at least one must be left.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    kept_ : int
        k.

    Raises
    ------
    InvalidInput
        No head; `variant` is another letter; percentile is outside 0 .. 100 or keeps no activation; or it keeps so few
        that exp(D / k), which the factor of "s" can reach, overflows.

    Notes
    -----
    The default is the authors' for ImageNet, ASH-S at 90. Features are those after pooling. The authors and pytorch-ood
    (ASH-S at 65) prune feature maps before it; OpenOOD prunes pooled features, with ASH-B at 90, or a percentile that
    it chooses on out-of-distribution data. The others leave to chance which of equal activations are kept; here
    these are the first ones. With percentile 0 nothing is pruned, and the factor of "s" is e for every row.

    References
    ----------
    A. Djurisic, N. Bozanic, A. Ashok, R. Liu: Extremely Simple Activation Shaping for Out-of-Distribution Detection.
    ICLR 2023. arXiv:2209.09858.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    kept_: int

    def __init__(self, variant: Variant = "s", percentile: float = 90) -> None:
        self.variant = variant
        self.percentile = percentile

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        check_choice("variant", self.variant, Variant)
        count = sharpened_count if self.variant == "s" else kept_count
        self.kept_ = count(train.features.shape[1], self.percentile)
        consequence = {
            "p": "negative ones are pruned first",
            "b": "what is kept can become negative",
            "s": "a row whose largest activations do not sum to more than 0 gets the factor 0",
        }
        self.notes_ += sign_note(train.features, consequence[self.variant])
        self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        kept = largest_entries(x, self.kept_)
        shaped = torch.where(kept, x, 0)
        if self.variant == "b":
            shaped = kept * (x.sum(dim=1, keepdim=True) / self.kept_)
        elif self.variant == "s":
            shaped = shaped * sharpening(x, kept, self.kept_)
        return head_energy(shaped, self.weight_, self.bias_)
