"""Cosine similarity to the k-th nearest neighbour (Sun et al., ICML 2022)."""

from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import check_integer
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


class KNNKth(Scorer):
    """Cosine similarity to the k-th nearest fit row, in [-1, 1]; the search is exact.

    With u(z) = z / ||z|| and the fit rows z_1 ... z_N:

        score(z) = the k-th largest of u(z) . u(z_i)

    One close neighbour says little, as it may be an outlier itself; k close ones say that the region is populated.
    With k = 1 it is the score of `KNN` with k = 1. A zero row has cosine 0 with every other. float16 and bfloat16
    features are kept as they are, and a memory-mapped array is searched where it lies.

    Parameters
    ----------
    k : int, default 10
        Which neighbour, at most the number of fit rows. The paper takes 50 for CIFAR-10, 200 for CIFAR-100 and 1000
        for ImageNet; the default also suits fit sets of a few dozen rows.

    Attributes
    ----------
    bank_ : (N, D) tensor
        Fit rows: float32 of length 1, or as they were given if in half precision or memory-mapped.
    scale_ : (N,) tensor or None
        What each row of such a bank must be multiplied by to have length 1.

    Raises
    ------
    InvalidInput
        k is not an integer of at least 1.
    TooFewSamples
        k is larger than the number of fit rows.

    Notes
    -----
    The paper scores minus the Euclidean distance d to the k-th neighbour of rows scaled to length 1, OpenOOD minus its
    square. Since d^2 = 2 - 2 cos, all three order rows alike; the cosine loses no digits where neighbours are close.
    Fit rows that are scored find themselves: their first neighbour has cosine 1.

    References
    ----------
    Sun, Ming, Zhu, Li: Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022, arXiv 2204.06507.
    """

    bank_: Tensor
    scale_: Tensor | None

    def __init__(self, k: int = 10) -> None:
        self.k = k

    def _fit(self, train: Train) -> None:
        check_integer("k", self.k, 1)
        found = len(train.features)
        if found < self.k:
            raise TooFewSamples(f"k={self.k} needs at least {self.k} fit samples, got {found} sample(s); lower k")
        bank = Bank.of(train.features, train.mapped)
        self.bank_, self.scale_ = bank.rows, bank.scale

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        cosines, _ = Bank(self.bank_, self.scale_).nearest(unit_rows(x), int(self.k))
        return cosines[:, -1].clamp(-1, 1)
