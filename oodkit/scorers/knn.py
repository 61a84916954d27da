"""k-nearest-neighbour cosine similarity (Sun et al., ICML 2022; Adaloglou et al., 2023)."""

from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import check_integer
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


class KNN(Scorer):
    """Mean cosine similarity to the k nearest fit rows, in [-1, 1]; the search is exact.

    float16 and bfloat16 features are kept as they are, and a memory-mapped array is searched where it lies, block by
    block, so the bank need not fit in memory. A zero row has cosine 0 with every other.

    Parameters
    ----------
    k : int, default 1
        Number of neighbours, at most the number of fit rows; k = 1 is the score of Adaloglou et al.

    Attributes
    ----------
    bank_ : (N, D) tensor
        Fit rows: float32 of length 1, or as they were given if in half precision or memory-mapped.
    scale_ : (N,) tensor or None
        What each row of such a bank must be multiplied by to have length 1.

    Raises
    ------
    TooFewSamples
        k is larger than the number of fit rows.
    """

    bank_: Tensor
    scale_: Tensor | None

    def __init__(self, k: int = 1) -> None:
        self.k = k

    def _fit(self, train: Train) -> None:
        check_integer("k", self.k, 1)
        if len(train.features) < self.k:
            raise TooFewSamples(f"k={self.k} needs at least {self.k} fit samples, got {len(train.features)}; lower k")
        bank = Bank.of(train.features, train.mapped)
        self.bank_, self.scale_ = bank.rows, bank.scale

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        cosines, _ = Bank(self.bank_, self.scale_).nearest(unit_rows(x), int(self.k))
        return cosines.mean(dim=1).clamp(-1, 1)
