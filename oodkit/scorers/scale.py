"""SCALE: activations scaled, row by row, and none pruned (Xu et al., ICLR 2024)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.shaping import largest_entries, sharpened_count, sharpening, sign_note


class SCALE(Scorer):
    """Energy of the logits of activations that are scaled by a factor of their row; any real number.

    With s1 the sum of all activations of a row z, s2 that of its k = D - round(D percentile / 100) largest, and the
    head's W and b,

        score(z) = LSE(exp(s1 / s2) W z + b)

    The predicted class stays the same if b = 0. The method is for activations after a ReLU: where fit features are
    negative, `notes_` says so. For such rows s2 can be 0 or negative, and the factor has no meaning; it is then 0, its
    limit as s2 falls to 0, so that the score is LSE(b).

    Parameters
    ----------
    percentile : float, default 85
        Share of activations, in per cent, that s2 leaves out, 0 to 100; at least one must be left.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    kept_ : int
        k.

    Raises
    ------
    InvalidInput
        No head; percentile is outside 0 .. 100 or keeps no activation; or it keeps so few that exp(D / k), which the
        factor can reach, overflows.

    Notes
    -----
    The default is the authors' and OpenOOD's (which also chooses it among 65 to 95 on out-of-distribution data);
    pytorch-ood takes 65. Where s2 = 0 both give NaN. With percentile 0 the factor is e for every row.

    References
    ----------
    K. Xu, R. Chen, G. Franchi, A. Yao: Scaling for Training Time and Post-hoc Out-of-distribution Detection
    Enhancement. ICLR 2024. arXiv:2310.00227.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    kept_: int

    def __init__(self, percentile: float = 85) -> None:
        self.percentile = percentile

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        self.kept_ = sharpened_count(train.features.shape[1], self.percentile)
        self.notes_ += sign_note(
            train.features, "a row whose largest activations do not sum to more than 0 gets the factor 0"
        )
        self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        factor = sharpening(x, largest_entries(x, self.kept_), self.kept_)
        return head_energy(x * factor, self.weight_, self.bias_)
