"""Maximum softmax probability after temperature scaling (Guo et al., ICML 2017)."""

from math import exp, log

from scipy.optimize import brentq
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.known_classes import chosen_blocks, known_classes
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes, log_max_probability, over_temperature

BOUNDS = (1e-2, 1e2)


class TemperatureScaling(Scorer):
    """Logarithm of the maximum softmax probability at the temperature that fits labels best, in [-log C, 0].

    `fit` finds the temperature T in [0.01, 100] with the smallest mean negative log-likelihood of the labels,

        T = argmin mean_i (log sum_c exp(l_ic / T) - l_iy / T),    y the label of row i,

    and the score of logits l is max_c log p_c with p = softmax(l / T). The likelihood is convex in 1/T, so there is one
    minimum and its slope is searched for a zero; nothing is random. Labels are columns of the logits: 0 to C - 1.
    Fit it on held-out rows, since a classifier is too sure of those it was trained on.

    Attributes
    ----------
    temperature_ : float
        The temperature found.
    notes_ : list of str
        Says so where the best temperature lies outside the bounds, as with rows that are all classified correctly,
        and how many rows were left out because their label is no column.

    Raises
    ------
    InvalidInput
        No labels, or none of them is a column of the logits.

    Notes
    -----
    Common implementations take some steps of L-BFGS in T from 1 or 1.5, which may stop short of the minimum or step
    to a negative T; a search for the root between two bounds does neither. With two classes no temperature changes
    the order of rows.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On Calibration of Modern Neural Networks. ICML 2017.
    arXiv:1706.04599.
    """

    needs = frozenset({Need.LOGITS, Need.LABELS})
    wants_held_out = True
    chunk_bytes = CHUNK_BYTES

    temperature_: float

    def _fit(self, train: Train) -> None:
        labels = train.labels
        assert labels is not None
        known, notes = known_classes(train.features, labels)
        self.notes_ += notes + constant_notes(train.features)

        def slope(log_temperature: float) -> float:
            """Derivative of the mean negative log-likelihood in 1/T; falls as T grows."""
            total = 0.0
            for logits, of in chosen_blocks(train.features, labels, known):
                logits = logits - logits.amax(dim=1, keepdim=True)
                p = (logits / exp(log_temperature)).softmax(dim=1)
                total += float((p * logits).sum() - logits.gather(1, of[:, None]).sum())
            return total

        low, high = map(log, BOUNDS)
        at_low, at_high = slope(low), slope(high)
        if at_low > 0 > at_high:
            self.temperature_ = exp(brentq(slope, low, high, xtol=1e-12))
            return
        if at_low == at_high == 0:
            self.temperature_ = 1.0
            self.notes_.append("all temperatures fit the labels equally well; 1 is used")
            return
        self.temperature_ = BOUNDS[0] if at_low <= 0 else BOUNDS[1]
        self.notes_.append(f"the best temperature lies outside [{BOUNDS[0]}, {BOUNDS[1]}]; {self.temperature_} is used")

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        return log_max_probability(over_temperature(x, self.temperature_))
