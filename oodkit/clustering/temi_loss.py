"""Losses of TEMI and its plainer forms, from the log-probabilities of student and teacher heads.

Source: Adaloglou, Michels, Kalisch, Kollmann, Exploring the Limits of Deep Image Clustering using Pretrained Models,
BMVC 2023, arXiv 2303.17896, equations 3 to 5.
"""

from typing import Literal

import torch
from torch import Tensor

Weighting = Literal["temi", "wpmi", "pmi"]


def pmi_loss(log_student: Tensor, log_teacher: Tensor, log_share: Tensor, beta: float) -> Tensor:
    """Minus the pointwise mutual information of pairs: -log sum_c (q_s(c) q_t(c))^beta / q(c).

    Finite wherever the log-probabilities are, also where student and teacher share no cluster.

    Args:
        log_student: (..., C) log-probabilities of one row of each pair by the student.
        log_teacher: (..., C) of the other row, by the teacher.
        log_share: (..., C) logarithm of the share of each cluster, q.
        beta: exponent, 0.5 < beta <= 1; smaller ones push towards clusters of equal size.

    Returns:
        (...) losses; the shapes broadcast.
    """
    return -torch.logsumexp(beta * (log_student + log_teacher) - log_share, dim=-1)


def pair_weights(log_teacher: Tensor, log_teacher_other: Tensor, weighting: Weighting) -> Tensor:
    """What the loss of each pair is multiplied by: how likely the teachers put both rows into one cluster.

    Args:
        log_teacher: (H, B, C) log-probabilities of one row of each pair by the H teachers.
        log_teacher_other: (H, B, C) of the other row.
        weighting: "temi": mean over the heads, the same for all; "wpmi": each head its own; "pmi": 1.

    Returns:
        (H, B) for "wpmi", else (1, B); in [0, 1].
    """
    return weights_of(agreement(log_teacher, log_teacher_other), weighting)


def agreement(log_teacher: Tensor, log_teacher_other: Tensor) -> Tensor:
    """How likely each of H teachers puts both rows of a pair into one cluster: (H, B) of (H, B, C) and (H, B, C)."""
    return (log_teacher.exp() * log_teacher_other.exp()).sum(dim=2)


def weights_of(agreements: Tensor, weighting: Weighting) -> Tensor:
    """What `pair_weights` gives, from the `agreement` (H, B) of the teachers."""
    if weighting == "pmi":
        return torch.ones_like(agreements[:1])
    return agreements.mean(dim=0, keepdim=True) if weighting == "temi" else agreements


def temi_loss(
    log_student: Tensor, log_teacher: Tensor, share: Tensor, beta: float, weighting: Weighting = "temi"
) -> Tensor:
    """Loss of each head: the mean over pairs and both directions of weight times `pmi_loss`.

    No gradient reaches the teacher, the weights or the shares.

    Args:
        log_student: (H, 2, B, C) log-probabilities of the first and of the second row of B pairs.
        log_teacher: (H, 2, B, C) likewise.
        share: (H, C) share of each cluster, positive.
        beta: as `pmi_loss` takes it.
        weighting: as `pair_weights` takes it.

    Returns:
        (H,) losses.
    """
    teacher = log_teacher.detach()
    weights = pair_weights(teacher[:, 0], teacher[:, 1], weighting)
    losses = pmi_loss(log_student, teacher.flip(1), share.detach().log()[:, None, None, :], beta)
    return (weights[:, None, :] * losses).mean(dim=(1, 2))
