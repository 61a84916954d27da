"""What scorers are timed on: logits of a good classifier, and activations under the head that classifies them."""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

CLASSES, WIDTH, QUERIES, PER_CLASS = 1_000, 768, 10_000, 20


class Data(NamedTuple):
    """What is fitted on, and what is scored."""

    rows: Tensor  # (N, D), or logits (N, C)
    labels: Tensor  # (N,)
    queries: Tensor  # (M, D), or logits (M, C)
    weight: Tensor  # (C, D) of the head that classifies the rows; empty beside logits
    bias: Tensor  # (C,)


@cache
def logits(classes: int = CLASSES, queries: int = QUERIES, per_class: int = PER_CLASS, mistakes: float = 0.0) -> Data:
    """Logits of a good classifier: rows are predicted as their class, by leads of 0 to 25, but for mistakes."""

    def rows(labels: Tensor) -> Tensor:
        values = 2 * torch.randn(len(labels), classes, generator=generator)
        top = values.amax(dim=1) + 25 * torch.rand(len(labels), generator=generator).square() + 1e-3
        return values.scatter(1, labels[:, None], top[:, None])

    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(classes).repeat_interleave(per_class)
    wrong = torch.rand(len(labels), generator=generator) < mistakes
    return Data(
        rows(labels),
        labels.where(~wrong, labels.roll(per_class)),
        rows(torch.randint(classes, (queries,), generator=generator)),
        torch.empty(0, classes),
        torch.empty(0),
    )


@cache
def activations(classes: int = CLASSES, queries: int = QUERIES, per_class: int = PER_CLASS) -> Data:
    """Activations after a ReLU, and a head that classifies them; half of the queries are far from every class."""

    def rows(labels: Tensor, spread: float) -> Tensor:
        noise = torch.randn(len(labels), WIDTH, generator=generator)
        return (centres[labels] + spread * noise).relu()

    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(classes, WIDTH, generator=generator)
    labels = torch.arange(classes).repeat_interleave(per_class)
    weight = (centres.relu() - centres.relu().mean(dim=0)) / 10
    bias = 5 - (centres.relu() @ weight.T).diagonal() / 2
    of = torch.randint(classes, (queries,), generator=generator)
    near, far = rows(of[::2], 1.0), rows(of[1::2], 3.0)
    return Data(rows(labels, 1.0), labels, torch.cat([near, far]), weight, bias)
