"""Losses of self-distillation with negatives (Rafiee et al., arXiv 2201.06378)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def positive_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy of the student's answer on one crop against the teacher's on another:

        mean over pairs (t, s), s != t, of  - sum_k q_t,k log q_s,k

    Args:
        student: (S, B, K) log-probabilities of S crops of each image, S >= 2.
        teacher: (T, B, K) probabilities of the first T of these crops; no gradient flows into them.

    Returns:
        The mean over T (S - 1) pairs and B images; at least the mean entropy of the teacher.
    """
    targets = teacher.detach()
    count, among = len(targets), len(student)
    every = torch.einsum("tbk,sbk->b", targets, student)
    same = torch.einsum("tbk,tbk->b", targets, student[:count])
    return (same - every).mean() / (count * (among - 1))


def uniform_loss(student: Tensor) -> Tensor:
    """Cross-entropy of the student's answers against the uniform distribution, log K + KL(uniform || q_s).

    Args:
        student: (..., K) log-probabilities of negative crops.
    """
    return -student.mean()


def distillation_loss(
    student: Tensor, teacher: Tensor, negatives: Sequence[Tensor], weight: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Both parts of the loss, L_pos and weight L_neg; each set of negatives has an equal share of L_neg.

    Args:
        student: (S, B, K) log-probabilities of positive crops.
        teacher: (T, B, K) probabilities of the first T of them.
        negatives: log-probabilities (M, B, K) of each set of negative crops.
        weight: of L_neg.
    """
    apart = torch.stack([uniform_loss(crops) for crops in negatives]).mean()
    return positive_loss(student, teacher), weight * apart
