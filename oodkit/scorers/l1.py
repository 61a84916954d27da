"""L1 distance of the logits to their minimum (Adaloglou et al., TMLR 2024)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes


class L1(Scorer):
    """Sum of the logits above their own minimum, at least 0.

        score = sum_c |l_c - min_k l_k|

    Adding a constant to all logits of a row changes nothing; multiplying them by a positive number multiplies the
    score. `fit` learns nothing but the number of classes.

    Attributes
    ----------
    n_features_in_ : int
        Number of classes, C.
    notes_ : list of str
        Says so where there is only one class, for which every score is 0.

    Raises
    ------
    InvalidInput
        Logits that are not finite.

    Notes
    -----
    The formula is that of the code that the authors published with the paper. The sum grows with the number of
    classes; only its order within one classifier means something. With one class every score is 0.

    References
    ----------
    N. Adaloglou, F. Michels, T. Kaiser, M. Kollmann: Adapting Contrastive Language-Image Pretrained (CLIP) Models for
    Out-of-Distribution Detection. TMLR 2024. arXiv:2303.05828.
    """

    needs = frozenset({Need.LOGITS})
    chunk_bytes = CHUNK_BYTES

    def _fit(self, train: Train) -> None:
        self.notes_ += constant_notes(train.features)

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        return (x - x.amin(dim=1, keepdim=True)).sum(dim=1)
