"""Weibull distributions of the largest distances of many classes at once, by libMR's rule."""

from typing import NamedTuple

import torch
from torch import Tensor

SHIFT = 10_000.0  # libMR moves the smallest distance of a tail to this value before it fits
STEPS = 100  # bisections of the logarithm of the shape, more than float64 can tell apart
NEAR = 1e-9  # how close to the origin a shifted distance may come
FAR = 50.0  # largest exponent of the hazard: the probability is 1 long before


class Weibull(NamedTuple):
    """One distribution per class of x = distance - start + SHIFT, with the parameters of log x.

    Attributes:
        start: (K,) smallest distance of the tail.
        rate: (K,) shape parameter k.
        log_scale: (K,) logarithm of the scale parameter, less log SHIFT.
    """

    start: Tensor
    rate: Tensor
    log_scale: Tensor

    @classmethod
    def fit(cls, tails: Tensor, inside: Tensor) -> "Weibull":
        """Maximum likelihood for every class, in float64.

        Args:
            tails: (K, t) distances.
            inside: (K, t) bool, which of them count; at least two different ones in each row.
        """
        tails = tails.double()
        count = inside.sum(dim=1, keepdim=True)
        start = tails.masked_fill(~inside, torch.inf).amin(dim=1, keepdim=True)
        logs = ((tails - start) / SHIFT).masked_fill(~inside, 0).log1p()
        mean = logs.sum(dim=1, keepdim=True) / count
        spread = ((logs - mean).square().masked_fill(~inside, 0).sum(dim=1, keepdim=True) / count).sqrt()
        z = ((logs - mean) / spread).masked_fill(
            ~inside, -torch.inf
        )  # mean 0, spread 1: the root lies in a known range
        low, high = torch.full_like(mean, 1e-2).log(), torch.full_like(mean, 1e3).log()
        for _ in range(STEPS):
            middle = (low + high) / 2
            weights = (middle.exp() * z).softmax(dim=1)
            above = (weights * z.masked_fill(~inside, 0)).sum(dim=1, keepdim=True) > (-middle).exp()
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        shape = ((low + high) / 2).exp()
        log_scale = ((shape * z).logsumexp(dim=1, keepdim=True) - count.log()) / shape
        return cls(start[:, 0], (shape / spread)[:, 0], (mean + spread * log_scale)[:, 0])

    def probability(self, distances: Tensor, classes: Tensor) -> Tensor:
        """How probable it is that a member of its class lies nearer, (B,).

        Args:
            distances: (B,) at least 0.
            classes: (B,) index of the class of each.
        """
        start, rate, log_scale = (
            value[classes].to(distances.dtype) for value in (self.start, self.rate, self.log_scale)
        )
        shifted = ((distances - start) / SHIFT).clamp(min=NEAR - 1).log1p()
        return -torch.expm1(-(rate * (shifted - log_scale)).clamp(max=FAR).exp())
