"""Softmax seen from its largest entry: log-odds that stay exact where a probability would round to 1."""

from math import inf

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from oodkit.scorers.largest_values import largest_column

CHUNK_BYTES = 2**20  # temporaries of this size stay in the cache, and the allocator keeps them from chunk to chunk


def softmax(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities (B, C), and the log-sum-exp (B,) of the logits, from one fused pass."""
    probabilities = logits.softmax(dim=1)
    column = largest_column(logits)[:, None]
    largest, probability = (values.gather(1, column)[:, 0] for values in (logits, probabilities))
    return probabilities, largest - probability.log()


def set_aside_largest(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The largest logit of each row, (B, 1), and all others, (B, C), with -inf in its place."""
    column = largest_column(logits)[:, None]
    return logits.gather(1, column), logits.scatter(1, column, -inf)


def log_odds(logits: Tensor) -> Tensor:
    """Log-odds, log p / (1 - p), of the largest probability p, (B,) float64, exact however close to 1.

    A single class has log-odds inf.
    """
    if logits.shape[1] == 1:
        return logits[:, 0].double() * 0 + inf
    probabilities = logits.softmax(dim=1)
    column = largest_column(logits)[:, None]
    largest = probabilities.gather(1, column)[:, 0].double()
    if probabilities.requires_grad:
        others = probabilities.scatter(1, column, 0).sum(dim=1)
    else:
        others = probabilities.scatter_(1, column, 0).sum(dim=1)
    least = 1e8 * torch.finfo(logits.dtype).tiny  # below, terms may have lost digits or vanished
    odds = largest.log() - others.clamp_min(least).double().log()
    faint = others < least
    return odds.index_put((faint,), _log_odds_of_any(logits[faint])) if bool(faint.any()) else odds


def log_max_probability(logits: Tensor) -> Tensor:
    """Logarithm of the largest probability, (B,) float64; distinct as long as float64 can tell them apart."""
    return logsigmoid(log_odds(logits))


def over_temperature(logits: Tensor, temperature: float) -> Tensor:
    """The logits divided by a temperature."""
    return logits if temperature == 1 else logits / temperature


def constant_notes(logits: Tensor) -> list[str]:
    """What to tell the user where a softmax has a single entry, which is always 1."""
    return ["the logits have one column, so all scores are equal"] if logits.shape[1] == 1 else []


def _log_odds_of_any(logits: Tensor) -> Tensor:
    """Log-odds of rows whose largest logit leads by more than exponentials can tell."""
    largest, others = set_aside_largest(logits)
    return largest[:, 0].double() - softmax(others)[1].double()
