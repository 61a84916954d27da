"""Negative entropy of the softmax."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes, set_aside_largest, softmax


class Entropy(Scorer):
    """Negative entropy of the softmax probabilities, in [-log C, 0] for C classes.

    With logits l and p = softmax(l):

        score = sum_c p_c log p_c

    It is computed from the largest logit m, at class i, and what the others hold against it:

        -score = log(1 + s) + s / (1 + s) sum_{c != i} q_c (m - l_c)

    where s is the sum of exp(l_c - m) and q the softmax, both over the others. All terms are positive, so nothing
    cancels and confident rows keep their order. Adding a constant to all logits of a row changes nothing. `fit`
    learns nothing but the number of classes.

    Attributes
    ----------
    notes_ : list of str
        Says so where there is only one class, for which every score is 0.

    Raises
    ------
    InvalidInput
        Logits that are not finite.

    Notes
    -----
    Common implementations clip the probabilities to at least 1e-7 first, which adds up to 1.6e-6 per class and ties
    confident rows; here nothing is clipped.

    References
    ----------
    R. Chan, M. Rottmann, H. Gottschalk: Entropy Maximization and Meta Classification for Out-of-Distribution
    Detection in Semantic Segmentation. ICCV 2021. arXiv:2012.06575.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def _fit(self, train: Train) -> None:
        self.notes_ += constant_notes(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        if x.shape[1] == 1:
            return x[:, 0] * 0
        largest, others = set_aside_largest(x)
        shares, total = softmax(others)
        log_s = total.double() - largest[:, 0].double()
        below = torch.mul(shares, largest - x).sum(dim=1)
        return -(softplus(log_s) + log_s.sigmoid() * below)
