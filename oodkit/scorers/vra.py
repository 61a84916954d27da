"""Variational rectified activation: activations suppressed on both sides (Xu et al., NeurIPS 2023)."""

from typing import Literal

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice, check_percentile
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.percentiles import pooled_percentiles
from oodkit.scorers.shaping import sign_note, zero_note

Below = Literal["zero", "clip"]


class VRA(Scorer):
    """Energy of the logits of activations that are suppressed where unusually low or high; any real number.

    With the head's W and b, and l <= h two percentiles of all activations of all fit rows together,

        score(z)  = LSE(W r(z) + b)
        r(z)_j    = 0 if z_j < l, z_j if l <= z_j <= h, h if z_j > h

    or, with below="clip", l instead of 0. Where fit features are negative, `notes_` says so.

    Parameters
    ----------
    lower : float, default 60
        Percentile of the fit activations, 0 to 100, below which they are suppressed.
    upper : float, default 95
        Percentile above which they are clipped, at least `lower`.
    below : {"zero", "clip"}, default "zero"
        What becomes of low activations: 0, as in the paper, or the lower threshold.

    Attributes
    ----------
    low_, high_ : float
        l and h.
    weight_, bias_ : (C, D) and (C,) tensors
        The head.

    Raises
    ------
    InvalidInput
        No head; a percentile is outside 0 .. 100 or `lower` is above `upper`; or `below` is another word.

    Notes
    -----
    The defaults are those of the authors for CIFAR-100; for CIFAR-10 they take 60 and 90, for ImageNet fixed
    thresholds. OpenOOD clips on both sides: lower=10, upper=90, below="clip" is its default, though on fit instead of
    validation features. pytorch-ood clips as well, with thresholds of every feature by itself, which are not the
    paper's. The variants VRA+ and VRA++ are not here.

    References
    ----------
    M. Xu, Z. Lian, B. Liu, J. Tao: VRA: Variational Rectified Activation for Out-of-distribution Detection. NeurIPS
    2023. arXiv:2302.11716.
    """

    needs = frozenset({Need.HEAD})

    low_: float
    high_: float
    weight_: Tensor
    bias_: Tensor

    def __init__(self, lower: float = 60, upper: float = 95, below: Below = "zero") -> None:
        self.lower = lower
        self.upper = upper
        self.below = below

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        check_percentile("lower", self.lower)
        check_percentile("upper", self.upper)
        if self.lower > self.upper:
            raise InvalidInput(f"lower must not be above upper, got lower={self.lower} and upper={self.upper}")
        check_choice("below", self.below, Below)
        self.low_, self.high_ = pooled_percentiles(train.features, [self.lower, self.upper])
        self.notes_ += zero_note(train.features) + sign_note(
            train.features, f"low ones become {0 if self.below == 'zero' else self.low_:.4g}"
        )
        self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        cut = x.clamp(max=self.high_)
        low = torch.tensor(self.low_, dtype=x.dtype, device=x.device)
        return head_energy(torch.where(x < low, 0 if self.below == "zero" else low, cut), self.weight_, self.bias_)
