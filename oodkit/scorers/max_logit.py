"""Largest logit (Hendrycks et al., ICML 2022)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train


class MaxLogit(Scorer):
    """Largest logit, any real number.

        score = max_c l_c

    Unlike the softmax scores it sees the level of the logits: adding a constant to a row adds it to the score. `fit`
    learns nothing but the number of classes.

    Attributes
    ----------
    n_features_in_ : int
        Number of classes, C.

    Raises
    ------
    InvalidInput
        Logits that are not finite.

    Notes
    -----
    No deviation from the paper.

    References
    ----------
    D. Hendrycks, S. Basart, M. Mazeika, A. Zou, J. Kwon, M. Mostajabi, J. Steinhardt, D. Song: Scaling
    Out-of-Distribution Detection for Real-World Settings. ICML 2022. arXiv:1911.11132.
    """

    needs = frozenset({Need.LOGITS})

    def _fit(self, train: Train) -> None:
        pass

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        return x.amax(dim=1)
