"""Energy, a softmax's log-normaliser (Liu et al., NeurIPS 2020)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_positive
from oodkit.scorers.softmax import CHUNK_BYTES, over_temperature, softmax


class Energy(Scorer):
    """Negative energy of the logits, any real number, between the largest logit and T log C above it.

    With logits l, C classes and temperature T:

        score = T log sum_c exp(l_c / T)

    T near 0 gives the largest logit; for large T the score is the mean logit plus T log C. Adding a constant to a row
    adds it to the score. `fit` learns nothing but the number of classes.

    Parameters
    ----------
    temperature : float, default 1.0
        T, positive.

    Attributes
    ----------
    n_features_in_ : int
        Number of classes, C.

    Raises
    ------
    InvalidInput
        The temperature is not positive.

    Notes
    -----
    The paper's energy is minus this; its score, as here, is the negative energy. The paper's fine-tuning with an
    energy margin is not part of a scorer.

    References
    ----------
    W. Liu, X. Wang, J. Owens, Y. Li: Energy-based Out-of-distribution Detection. NeurIPS 2020. arXiv:2010.03759.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def __init__(self, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        return self.temperature * softmax(over_temperature(x, self.temperature))[1]
