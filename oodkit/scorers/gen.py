"""Generalised entropy of the softmax (Liu et al., CVPR 2023)."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_integer, check_positive
from oodkit.scorers.largest_values import largest_column, largest_last, largest_values
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes, log_odds, set_aside_largest


class GEN(Scorer):
    """Negative generalised entropy of the largest softmax probabilities, at most 0.

    With p = softmax(logits), of which the M largest are used:

        score = - sum_{c among the M largest} p_c^gamma (1 - p_c)^gamma

    A small gamma makes the score sensitive to small probabilities, as a confident row has them; M keeps the long tail
    of classes out. With gamma = 1 and all classes it is the Gini impurity with the sign turned. Adding a constant to
    all logits of a row changes nothing. `fit` learns nothing but the number of classes.

    Parameters
    ----------
    gamma : float, default 0.1
        Exponent, positive; the paper's value.
    m : int, default 100
        M, number of largest probabilities in the sum; all classes where there are fewer.

    Attributes
    ----------
    notes_ : list of str
        Says so where there is only one class, for which every score is 0.

    Raises
    ------
    InvalidInput
        gamma is not positive, or m is not an integer of at least 1.

    Notes
    -----
    The terms are summed, as in the paper; implementations that average them differ by the factor M. Both logarithms
    of each term are computed from the logits. Where p is clamped instead, or 1 - p formed in float32, all confident
    rows share one score: a probability of 1e-7 still counts 0.2 with gamma = 0.1.

    References
    ----------
    X. Liu, Y. Lochman, C. Zach: GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection. CVPR 2023.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def __init__(self, gamma: float = 0.1, m: int = 100) -> None:
        self.gamma = gamma
        self.m = m

    def _fit(self, train: Train) -> None:
        check_positive("gamma", self.gamma)
        check_integer("m", self.m, 1)
        self.notes_ += constant_notes(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        if x.shape[1] == 1:
            return x[:, 0] * 0
        if x.requires_grad or x.device.type != "cpu":
            return self._score_logits(x)
        values = largest_last(x.softmax(dim=1), int(self.m))
        top = values[:, -int(self.m) :]
        column = largest_column(top)[:, None]
        largest = top.gather(1, column)[:, 0]
        top.scatter_(1, column, 0)
        odds = largest.double().log() - values.sum(dim=1).double().log()
        terms = torch.addcmul(top, top, top, value=-1).pow_(self.gamma)
        scores = -(self._first(odds) + terms.sum(dim=1))
        # of a probability this small digits are lost, or all of it
        least = top.scatter_(1, column, 1).amin(dim=1) if self.m > 1 else values.sum(dim=1)
        faint = least < 1e8 * torch.finfo(x.dtype).tiny
        return scores.index_put_((faint,), self._score_logits(x[faint])) if bool(faint.any()) else scores

    def _score_logits(self, x: Tensor) -> Tensor:
        """The same from logarithms of all probabilities: exact for any logits, and slower."""
        odds = log_odds(x)
        largest, others = set_aside_largest(largest_values(x, int(self.m)))
        log_p = others + (logsigmoid(odds)[:, None].to(x.dtype) - largest)
        log_term = log_p + (-log_p.exp()).log1p()
        return -(self._first(odds) + (self.gamma * log_term).exp().sum(dim=1))

    def _first(self, odds: Tensor) -> Tensor:
        """The term of the largest probability."""
        return (self.gamma * (logsigmoid(odds) + logsigmoid(-odds))).exp()
