"""Learning the log-odds of two kinds of pairs (Rafiee et al., arXiv 2012.00461)."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

WEIGHTS = range(1, 10)  # of negative pairs, one of which is drawn for each step


def pair_loss(positive: Tensor, negative: Tensor, weight: int) -> Tensor:
    """Binary cross-entropy in which negative pairs weigh `weight` times as much, which the log-odds allow for:

        mean of -[log sigmoid(a_pos) + g log sigmoid(-a_neg)],   a = z - log g

    Its optimum is z = log p_positive(pair) - log p_negative(pair), whatever the weight g.

    Args:
        positive: (B,) log-odds z of positive pairs.
        negative: (B,) log-odds of negative pairs.
        weight: g.
    """
    shift = math.log(weight)
    return -(logsigmoid(positive - shift) + weight * logsigmoid(shift - negative)).mean()


def draw_weight(generator: torch.Generator) -> int:
    """One of `WEIGHTS`, each as likely as the others."""
    return WEIGHTS[int(torch.randint(len(WEIGHTS), (), generator=generator))]
