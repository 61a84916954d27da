"""The mean of exp(cosine / T) over a bank, as a cosine again: exact, in log space, block by block."""

import math

import torch
from torch import Tensor

from oodkit.scorers.neighbours import Bank

PRODUCT_BYTES = 32 * 2**20  # cosines that are held at once


def kernel_mean(bank: Bank, queries: Tensor, temperature: float) -> Tensor:
    """T log mean_i exp(u . u_i / T) of unit rows u with all rows u_i of a bank; lies between mean and largest cosine.

    One pass over the bank. Below T = 1 sums are of exp relative to the largest cosine so far, so that nothing
    overflows; from T = 1 on, where T multiplies rounding errors, of exp - 1 relative to cosine 1.

    Args:
        bank: rows to take the mean over.
        queries: (B, D) unit rows, float32 or float64, on the device of the bank.
        temperature: T > 0.

    Returns:
        (B,) in [-1, 1]; differentiable: the gradient is the mean of the bank weighted by exp(cosine / T).
    """
    wants_gradient = torch.is_grad_enabled() and queries.requires_grad
    sums = _Sums(queries.detach(), temperature, wants_gradient)
    with torch.no_grad():
        for _, block in bank.unit_blocks(queries.dtype):
            per_part = max(1, PRODUCT_BYTES // (len(block) * block.element_size()))
            for first in range(0, len(queries), per_part):
                sums.add(slice(first, first + per_part), block)
        means = sums.means(len(bank.rows)).clamp(-1, 1)
    if not wants_gradient:
        return means
    # Zero in value; in backward, each query's gradient is its direction.
    return means + ((queries - queries.detach()) * sums.directions(len(bank.rows))).sum(dim=1)


class _Sums:
    """Running sums over the blocks of a bank, one per query."""

    def __init__(self, queries: Tensor, temperature: float, weighted: bool) -> None:
        self.queries, self.temperature = queries, temperature
        self.flat = temperature >= 1
        self.peaks = queries.new_full((len(queries),), 1.0 if self.flat else -math.inf)
        self.sums = queries.new_zeros(len(queries))
        self.weighted_rows = torch.zeros_like(queries) if weighted else None

    def add(self, part: slice, block: Tensor) -> None:
        """Add a block of unit rows to the sums of some queries."""
        cosines = self.queries[part] @ block.T
        if not self.flat:
            peaks = torch.maximum(self.peaks[part], cosines.amax(dim=1))
            shrink = ((self.peaks[part] - peaks) / self.temperature).exp()
            self.peaks[part] = peaks
            self.sums[part] *= shrink
            if self.weighted_rows is not None:
                self.weighted_rows[part] *= shrink[:, None]
        exponents = cosines.sub_(self.peaks[part, None]).div_(self.temperature)
        terms = exponents.expm1_() if self.flat else exponents.exp_()
        self.sums[part] += terms.sum(dim=1)
        if self.weighted_rows is not None:
            self.weighted_rows[part] += (terms + 1 if self.flat else terms) @ block

    def means(self, count: int) -> Tensor:
        """The kernel means, of `count` rows in all."""
        logs = (self.sums / count).log1p() if self.flat else self.sums.log() - math.log(count)
        return self.peaks + self.temperature * logs

    def directions(self, count: int) -> Tensor:
        """The means of the rows weighted by exp(cosine / T)."""
        assert self.weighted_rows is not None
        weights = self.sums + count if self.flat else self.sums
        return self.weighted_rows / weights[:, None]
