"""How well neighbours in feature space tell an in-set's classes: what AUROC is compared with over backbones."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from oodkit.scorers.neighbours import Bank
from oodkit.scorers.rows import as_labels, as_tensor, floating
from oodkit.scorers.unit_rows import unit_rows

NEIGHBOURS = 20
TEMPERATURE = 0.02
BLOCK = 2**14  # test rows that are looked up at once


def knn_accuracy(
    fit: NDArray[np.floating],
    fit_labels: ArrayLike,
    test: NDArray[np.floating],
    test_labels: ArrayLike,
    *,
    neighbours: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> float:
    """Share of test rows whose class gets the most votes of their nearest fit rows.

    A neighbour at cosine c votes for its class with weight exp(c / temperature); of equal classes the first wins. The
    search is exact.

    Args:
        fit: (N, D) features.
        fit_labels: (N,) class indices.
        test: (M, D) features.
        test_labels: (M,) class indices.
        neighbours: how many vote; all where there are fewer fit rows.
        temperature: positive; a small one makes the nearest count most.

    Source: Wu, Xiong, Yu, Lin, Unsupervised Feature Learning via Non-Parametric Instance Discrimination, CVPR 2018.
    """
    votes_for, wanted = as_labels(fit_labels, len(fit)), as_labels(test_labels, len(test))
    classes = int(torch.maximum(votes_for.max(), wanted.max())) + 1
    mapped = isinstance(fit, np.memmap)
    bank = Bank.of(as_tensor(fit, "features"), mapped)
    right = 0
    for rows, truth in zip(torch.split(as_tensor(test, "features"), BLOCK), torch.split(wanted, BLOCK), strict=True):
        cosines, places = bank.nearest(unit_rows(floating(rows)), min(neighbours, len(fit)))
        # Relative to the nearest, so that no weight overflows.
        weights = ((cosines - cosines[:, :1]).double() / temperature).exp()
        votes = torch.zeros(len(rows), classes, dtype=torch.float64).scatter_add_(1, votes_for[places], weights)
        right += int((votes.argmax(dim=1) == truth).sum())
    return right / len(test)
