"""Maximum softmax probability (Hendrycks & Gimpel, ICLR 2017)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_positive
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes, log_max_probability, over_temperature


class MSP(Scorer):
    """Logarithm of the maximum softmax probability, in [-log C, 0] for C classes.

    With logits l and temperature T:

        score = max_c log p_c = max_c l_c / T - log sum_c exp(l_c / T),    p = softmax(l / T)

    The logarithm keeps the order of the probability and goes on telling confident rows apart where the probability
    itself rounds to 1; exp(score) is the probability. Adding a constant to all logits of a row changes nothing. With
    two classes the score depends on the difference of the logits alone. `fit` learns nothing but the number of
    classes.

    Parameters
    ----------
    temperature : float, default 1.0
        T, positive. Large values flatten the probabilities to 1/C; the order that is left there is that of `odin`.

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
    The published score is the probability itself. Common implementations return it in float32, in which all rows
    whose largest logit leads by 17 or more tie at 1. Here the largest logit is compared with the log-sum-exp of the
    others alone, so in float64, as `score_samples` returns them, scores differ up to a lead of about 700.

    References
    ----------
    D. Hendrycks, K. Gimpel: A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
    Networks. ICLR 2017. arXiv:1610.02136.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def __init__(self, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)
        self.notes_ += constant_notes(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        return log_max_probability(over_temperature(x, self.temperature))
