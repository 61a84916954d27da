"""Nearest-neighbour guidance of the energy (Park et al., ICCV 2023)."""

import torch
from torch import Tensor

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_integer
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.parts import in_parts
from oodkit.scorers.shaping import zero_note
from oodkit.scorers.unit_rows import unit_rows


class NNGuide(Scorer):
    """Energy of the logits times the energy-weighted cosine similarity to the nearest fit rows; any real number.

    With l = W z + b, E(z) = LSE(l) and u(z) = z / ||z||,

        guidance(z) = mean of the k largest E(z_i) cos(z, z_i) over the fit rows
        score(z)    = E(z) guidance(z)

    where a product of two negative numbers counts as negative: a row with low energy, far from all fit rows, must not
    score high. The search is exact and over all fit rows.

    The method assumes positive energies. A fit row whose energy is not positive guides nothing (its energy counts as
    0, and a note says so); adding a constant to b makes energies positive and leaves probabilities as they are.

    Parameters
    ----------
    k : int, default 10
        Number of neighbours, at most the number of fit rows.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    bank_ : (N, D) tensor
        Fit rows: float32 of length E(z_i), or as they were given if in half precision or memory-mapped.
    scale_ : (N,) tensor or None
        What each row of such a bank must be multiplied by to have length E(z_i).

    Raises
    ------
    InvalidInput
        No head; k is not a positive integer; fewer than k fit rows have a positive energy.
    TooFewSamples
        k is larger than the number of fit rows.

    Notes
    -----
    OpenOOD takes k = 100 among the first 1 % of the fit rows in the order of the loader; pytorch-ood takes k = 10 among
    all, as here. Both return the plain product, positive where both factors are negative.

    References
    ----------
    J. Park, Y. G. Jung, A. B. J. Teoh. Nearest Neighbor Guidance for Out-of-Distribution Detection. ICCV 2023.
    arXiv:2309.14888.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    bank_: Tensor
    scale_: Tensor | None

    def __init__(self, k: int = 10) -> None:
        self.k = k

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        n = len(train.features)
        check_integer("k", self.k, 1)
        if n < self.k:
            raise TooFewSamples(f"k={self.k} needs at least {self.k} fit samples, got {n}; lower k")
        self.weight_, self.bias_ = (part.clone() for part in train.head)
        weight, bias = self.weight_.double(), self.bias_.double()
        width = train.features.shape[1]
        energy = in_parts(lambda rows: head_energy(rows.double(), weight, bias), train.features, width)
        negative = n - int((energy > 0).sum())
        if n - negative < self.k:
            raise InvalidInput(
                f"NNGuide needs positive energies, LSE(logits) is not positive for {negative} of {n} fit samples, the "
                f"lowest is {float(energy.min()):.3g}; add a constant to the head's bias, which leaves probabilities "
                "as they are"
            )
        self.notes_ += zero_note(train.features)
        if negative:
            self.notes_.append(f"{negative} of {n} fit samples have no positive energy and guide nothing")
        energy = energy.clamp(min=0)
        bank = Bank.of(train.features, train.mapped)
        if bank.scale is None:
            self.bank_, self.scale_ = bank.rows.mul_(energy[:, None]), None
        else:
            self.bank_, self.scale_ = bank.rows, bank.scale * energy

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        energy = head_energy(x, self.weight_, self.bias_)
        # bfloat16 has a bound for rows of length 1 only
        nearest, _ = Bank(self.bank_, self.scale_).nearest(unit_rows(x), int(self.k), bf16=False)
        guidance = nearest.mean(dim=1)
        product = energy * guidance
        return torch.where((energy < 0) & (guidance < 0), -product, product)
