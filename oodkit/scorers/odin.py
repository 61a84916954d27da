"""ODIN's temperature (Liang et al., ICLR 2018)."""

from math import log

import torch
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_positive
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes, log_max_probability, over_temperature


class ODIN(Scorer):
    """Maximum softmax probability at a high temperature, as T times its logarithm above the uniform one; at least 0.

    With logits l, C classes and temperature T:

        score = T (max_c log p_c + log C),    p = softmax(l / T)

    For a given classifier this orders rows exactly as the paper's max_c p_c does. At T = 1000 that probability is
    1/C up to the fourth digit or so, and in float32 its ties would decide; the form used here has no such limit. It is
    computed from the distances d_c to the largest logit,

        score = -T log(1 + mean_c (exp(-d_c / T) - 1)),

    and for T to infinity it becomes max_c l_c - mean_c l_c. `fit` learns nothing but the number of classes.

    Parameters
    ----------
    temperature : float, default 1000.0
        T, positive; the paper's value.

    Attributes
    ----------
    notes_ : list of str
        Says so where there is only one class, for which every score is 0.

    Raises
    ------
    InvalidInput
        The temperature is not positive.

    Notes
    -----
    This is the temperature half of ODIN, all that can be had from logits. The other half moves each image by a small
    step against the sign of the gradient of -max_c log p_c before it is scored. That needs the backbone and one
    backward pass through it: `oodkit score --perturb 0.0014` takes it. Since T > 0 the gradient of this score has the
    sign of the paper's objective, the only thing that the step uses. Without it the score is the paper's with step
    size 0.

    References
    ----------
    S. Liang, Y. Li, R. Srikant: Enhancing The Reliability of Out-of-distribution Image Detection in Neural Networks.
    ICLR 2018. arXiv:1706.02690.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def __init__(self, temperature: float = 1000.0) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)
        self.notes_ += constant_notes(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        below = (x - x.amax(dim=1, keepdim=True)).div_(self.temperature)
        change = below.expm1_().mean(dim=1).double()
        above_uniform = -change.clamp(min=-0.5).log1p()
        confident = change < -0.5  # here 1 + change cancels, and the probability is far from uniform
        if bool(confident.any()):
            log_p = log_max_probability(over_temperature(x, self.temperature))
            above_uniform = torch.where(confident, log_p + log(x.shape[1]), above_uniform)
        return self.temperature * above_uniform
