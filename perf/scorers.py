"""Time of scoring, beside one float32 softmax over the same logits and beside pytorch-ood 0.4, and whether ranks agree.

Run: python perf/scorers.py [NAME ...] [--repeats N]

pytorch-ood is no dependency: `pip install --no-deps --target peers pytorch-ood==0.4.0`, then PYTHONPATH=peers.
Without it only the column beside softmax is filled. A further scorer is a further line in CASES.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import torch
from pairing import compare
from scipy.stats import spearmanr
from torch import Tensor

from oodkit.scorers import create

THREADS = 2
QUERIES, CLASSES = 10_000, 1_000
AT_MOST_SOFTMAX, AT_MOST_PEER = 1.5, 1.0

Peer = Callable[["Data"], Callable[[], Tensor]]  # fits on the data, returns what scores the queries


class Data(NamedTuple):
    """What is fitted on, and what is scored: logits here, but any kind of rows will do."""

    rows: Tensor  # (N, C)
    labels: Tensor  # (N,)
    queries: Tensor  # (M, C)


@cache
def logits(classes: int = CLASSES, queries: int = QUERIES, per_class: int = 20, mistakes: float = 0.0) -> Data:
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
    )


def peer(name: str, fit: str = "", score: str = "predict_logits", **params: Any) -> Peer:
    """pytorch-ood's detector of this name, without a network.

    Args:
        name: class in `pytorch_ood.detector`.
        fit: its method that takes rows and labels; empty where it needs none.
        score: its method that takes rows.
        **params: of the class.
    """

    def prepare(data: Data) -> Callable[[], Tensor]:
        detector = getattr(import_module("pytorch_ood.detector"), name)(None, **params)
        if fit:
            getattr(detector, fit)(data.rows, data.labels)
        return partial(getattr(detector, score), data.queries)

    return prepare


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: registry name of the scorer.
        peer: how pytorch-ood computes it; None where it does not have it.
        params: of our scorer.
        data: makes what both get.
        remark: why ranks differ, where they do.
    """

    name: str
    peer: Peer | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    data: Callable[[], Data] = logits
    remark: str = ""


TIES = "its float32 probabilities tie"
CASES = (
    Case("msp", peer("MaxSoftmax"), remark=TIES),
    Case("max_logit", peer("MaxLogit")),
    Case("energy", peer("EnergyBased")),
    Case("entropy", peer("Entropy"), remark="it clips probabilities at 1e-7"),
    Case("gen", peer("GEN", M=100), remark="it clamps probabilities to [1e-7, 1 - 1e-7]"),
    Case("l1"),
    Case("odin", peer("MaxSoftmax", t=1000.0), remark=TIES),
    Case("kl_matching", peer("KLMatching", fit="fit_logits")),
    Case(
        "temp_scaling",
        peer("TemperatureScaling", fit="fit_logits"),
        data=partial(logits, mistakes=0.2),
        remark=TIES + "; its search stops early",
    ),
    Case("openmax", peer("OpenMax", fit="fit_logits", tailsize=20), data=partial(logits, 100, 2_000, 400), remark=TIES),
)


def main(names: list[str], repeats: int) -> None:
    torch.set_num_threads(THREADS)
    print(f"{QUERIES:,} x {CLASSES:,} logits, {THREADS} threads; times as ratios, ours over the other's")
    print(
        f"| scorer | one softmax (at most {AT_MOST_SOFTMAX}) | pytorch-ood (at most {AT_MOST_PEER}) | ranks | remark |"
    )
    print("| --- | --- | --- | --- | --- |")
    for case in CASES:
        if not names or case.name in names:
            print(f"| `{case.name}` | {' | '.join(measure(case, repeats))} |", flush=True)


def measure(case: Case, repeats: int) -> tuple[str, str, str, str]:
    """The cells of one line: ratio to softmax, ratio to the peer, rank correlation, remark."""
    data = case.data()
    scorer = create(case.name, **case.params).fit(data.rows, data.labels)
    ours = partial(scorer.score_samples, data.queries)
    to_softmax = str(compare(ours, partial(torch.softmax, data.queries, 1), repeats))
    if case.peer is None:
        return to_softmax, "has none", "", case.remark
    try:
        theirs = case.peer(data)
    except ModuleNotFoundError:
        return to_softmax, "not installed", "", case.remark
    with torch.no_grad():
        ratio = compare(ours, theirs, repeats)
        ranks = spearmanr(ours(), -theirs().double().numpy()).statistic
    return to_softmax, str(ratio), f"{ranks:.6f}", case.remark


if __name__ == "__main__":
    arguments = sys.argv[1:]
    count = arguments.index("--repeats") if "--repeats" in arguments else len(arguments)
    main(arguments[:count], int(arguments[count + 1]) if count < len(arguments) else 7)
