"""ReAct: activations clipped from above (Sun et al., NeurIPS 2021)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_percentile
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.percentiles import pooled_percentiles
from oodkit.scorers.shaping import sign_note, zero_note


class ReAct(Scorer):
    """Energy of the logits of clipped activations; any real number.

    With the head's W and b, and c the given percentile of all activations of all fit rows together,

        score(z) = LSE(W min(z, c) + b)

    Activations that are larger than nearly all of the distribution's are what makes a classifier overconfident; cut
    off, they no longer do. The method is for activations after a ReLU: where fit features are negative, `notes_` says
    so, and only their upper side is cut.

    Parameters
    ----------
    percentile : float, default 90
        Of the fit activations, 0 to 100, interpolated linearly. 100 changes no fit row.

    Attributes
    ----------
    clip_ : float
        c.
    weight_, bias_ : (C, D) and (C,) tensors
        The head.

    Raises
    ------
    InvalidInput
        No head, or percentile is outside 0 .. 100.

    Notes
    -----
    The percentile is exact, over all entries of the fit features, also where these lie in a file. OpenOOD takes it over
    the validation set and chooses it among 85 to 99 on out-of-distribution data; pytorch-ood clips feature maps before
    pooling where it is given these.

    References
    ----------
    Y. Sun, C. Guo, Y. Li: ReAct: Out-of-distribution Detection With Rectified Activations. NeurIPS 2021.
    arXiv:2111.12797.
    """

    needs = frozenset({Need.HEAD})

    clip_: float
    weight_: Tensor
    bias_: Tensor

    def __init__(self, percentile: float = 90) -> None:
        self.percentile = percentile

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        check_percentile("percentile", self.percentile)
        self.notes_ += zero_note(train.features) + sign_note(train.features, "only their upper side is cut")
        (self.clip_,) = pooled_percentiles(train.features, [self.percentile])
        self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        return head_energy(x.clamp(max=self.clip_), self.weight_, self.bias_)
