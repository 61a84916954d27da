"""Scores of a distilled head: how near the bank of its codes a row is, and how sure its answer."""

from math import log

from torch import Tensor

from oodkit.scorers.kernel_mean import kernel_mean
from oodkit.scorers.neighbours import Bank


def bank_score(bank: Bank, queries: Tensor, temperature: float, k: int | None = None) -> Tensor:
    """T log mean exp(cosine / T) of unit rows (B, c) with the k nearest rows of a bank, or with all."""
    if k is None:
        return kernel_mean(bank, queries, temperature)
    cosines, _ = bank.nearest(queries, int(k))
    return temperature * ((cosines / temperature).logsumexp(dim=1) - log(int(k)))


def uniformity(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Divergence of softmax((h - c) / temperature) from the uniform distribution, log K - entropy, (B,)."""
    logs = ((logits - centre) / temperature).log_softmax(dim=1)
    return log(logits.shape[1]) + (logs.exp() * logs).sum(dim=1)
