"""Scores of fitted scorers as plain operations on tensors, which a graph can hold: no chunks, searches or checks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from oodkit.errors import InvalidInput
from oodkit.scorers import scorers
from oodkit.scorers.base import Scorer
from oodkit.scorers.energy import Energy
from oodkit.scorers.knn import KNN
from oodkit.scorers.mahalanobis import Mahalanobis
from oodkit.scorers.max_logit import MaxLogit
from oodkit.scorers.msp import MSP
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


def graph_score(scorer: Scorer) -> nn.Module:
    """A module that gives scores (B,) of rows (B, D) float32, as the scorer does up to rounding.

    Raises:
        InvalidInput: there is none for this scorer, or for its parameters; the message names those that have one.
    """
    form = _FORMS.get(type(scorer))
    if form is None:
        raise InvalidInput(f"{scorer!r} cannot be written as a graph; {_those_that_can()}")
    return nn.Sequential(_Logits(scorer), form(scorer)) if hasattr(scorer, "head_weight_") else form(scorer)


class _Logits(nn.Linear):
    """Of the head that a scorer of logits was fitted with."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(scorer.head_weight_.shape[1], scorer.head_weight_.shape[0])
        self.weight.data, self.bias.data = scorer.head_weight_.float(), scorer.head_bias_.float()


class _MeanCosine(nn.Module):
    """Of `knn`."""

    bank: Tensor

    def __init__(self, scorer: KNN) -> None:
        super().__init__()
        if scorer.bank_ is None:
            raise InvalidInput("knn with an index of faiss cannot be written as a graph; fit it without `index`")
        self.k = int(scorer.k)
        self.register_buffer("bank", _unit_bank(Bank(scorer.bank_, scorer.scale_)))

    def forward(self, rows: Tensor) -> Tensor:  # (B, D) -> (B,)
        return (unit_rows(rows) @ self.bank.T).topk(self.k, dim=1).values.mean(dim=1).clamp(-1, 1)


class _NearestGaussian(nn.Module):
    """Of `mahalanobis` with one covariance for all classes; in float64, since the squares cancel."""

    location: Tensor
    whitening: Tensor
    points: Tensor

    def __init__(self, scorer: Mahalanobis) -> None:
        super().__init__()
        if scorer.whitening_.ndim != 2:
            raise InvalidInput("mahalanobis with covariance='per_class' cannot be written as a graph; use 'shared'")
        self.normalize = scorer.normalize
        self.register_buffer("location", scorer.location_.double())
        self.register_buffer("whitening", scorer.whitening_.double())
        self.register_buffer("points", scorer.class_means_.double())

    def forward(self, rows: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = (unit_rows(rows.double()) if self.normalize else rows.double()) - self.location
        white = x @ self.whitening
        squares = (
            white.square().sum(dim=1, keepdim=True) - 2 * (white @ self.points.T) + self.points.square().sum(dim=1)
        )
        return -squares.amin(dim=1).clamp_min(0)


class _LogMaxProbability(nn.Module):
    """Of `msp`."""

    def __init__(self, scorer: MSP) -> None:
        super().__init__()
        self.temperature = float(scorer.temperature)

    def forward(self, rows: Tensor) -> Tensor:  # (B, C) -> (B,)
        return (rows.double() / self.temperature).log_softmax(dim=1).amax(dim=1)


class _LogSumExp(nn.Module):
    """Of `energy`."""

    def __init__(self, scorer: Energy) -> None:
        super().__init__()
        self.temperature = float(scorer.temperature)

    def forward(self, rows: Tensor) -> Tensor:  # (B, C) -> (B,)
        return self.temperature * (rows / self.temperature).logsumexp(dim=1)


class _Largest(nn.Module):
    """Of `max_logit`."""

    def __init__(self, _: MaxLogit) -> None:
        super().__init__()

    def forward(self, rows: Tensor) -> Tensor:  # (B, C) -> (B,)
        return rows.amax(dim=1)


_FORMS: dict[type, Callable[..., nn.Module]] = {
    KNN: _MeanCosine,
    Mahalanobis: _NearestGaussian,
    MSP: _LogMaxProbability,
    MaxLogit: _Largest,
    Energy: _LogSumExp,
}


def _unit_bank(bank: Bank) -> Tensor:
    return torch.cat([block.clone() for _, block in bank.unit_blocks(torch.float32)])


def _those_that_can() -> str:
    classes = {f"{form.__module__}:{form.__qualname__}" for form in _FORMS}
    return f"those that can are {', '.join(name for name, entry in scorers.items() if entry.target in classes)}"
