"""Mean kernel similarity to all fit rows, in log space (Rafiee et al., ICANN 2022)."""

from torch import Tensor

from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import check_number
from oodkit.scorers.kernel_mean import kernel_mean
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows

LOWEST, HIGHEST = 1e-6, 1e6  # temperatures that float32 can divide cosines by


class Kernel(Scorer):
    """Mean of exp(cosine / T) to all fit rows, turned back into a cosine: in [-1, 1]; exact.

    With u(z) = z / ||z||, the fit rows z_1 ... z_N and the temperature T:

        score(z) = T (log sum_i exp(u(z) . u(z_i) / T) - log N)

    It lies between the mean and the largest cosine, whatever T: towards T = 0 it becomes the similarity to the nearest
    fit row, towards infinity the mean cosine. Unlike k nearest neighbours it takes every fit row into account, the
    near ones more, and has no k to choose. A zero row has cosine 0 with every other.

    All fit rows are read for every chunk of rows to score, in blocks with running sums, so that memory does not grow
    with their number; a memory-mapped array is read where it lies.

    Parameters
    ----------
    temperature : float, default 0.04
        T, from 1e-6 to 1e6; the lower, the fewer and nearer fit rows count.

    Attributes
    ----------
    bank_ : (N, D) tensor
        Fit rows: float32 of length 1, or as they were given if in half precision or memory-mapped.
    scale_ : (N,) tensor or None
        What each row of such a bank must be multiplied by to have length 1.

    Raises
    ------
    InvalidInput
        `temperature` is out of its range.

    Notes
    -----
    The authors' code scores the mean of exp((cosine - 0.1) / T), which is exp((score - 0.1) / T): the same order of
    rows, without the overflow at small T. Fit rows that are scored find themselves among the fit rows.

    References
    ----------
    Rafiee, Gholamipoor, Adaloglou, Jaxy, Ramakers, Kollmann: Self-Supervised Anomaly Detection by Self-Distillation
    and Negative Sampling, ICANN 2022, arXiv 2201.06378.
    """

    bank_: Tensor
    scale_: Tensor | None

    def __init__(self, temperature: float = 0.04) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        allowed = f"from {LOWEST:g} to {HIGHEST:g}"
        check_number("temperature", self.temperature, allowed, lambda number: LOWEST <= number <= HIGHEST)
        bank = Bank.of(train.features, train.mapped)
        self.bank_, self.scale_ = bank.rows, bank.scale

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        return kernel_mean(Bank(self.bank_, self.scale_), unit_rows(x), float(self.temperature))
