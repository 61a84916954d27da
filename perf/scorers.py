"""Time of fitting and scoring, beside pytorch-ood 0.4 and one float32 softmax over the logits, and whether ranks agree.

Run: python perf/scorers.py [--only NAME[,NAME ...]] [--repeats N] [--threads N]

pytorch-ood is no dependency: `pip install --no-deps --target peers pytorch-ood==0.4.0`, then PYTHONPATH=peers.
Without it only the column beside softmax is filled. A further scorer is a further line in scorer_cases.py.
"""

import sys
from functools import partial
from time import perf_counter
from typing import NamedTuple

import torch
from pairing import compare
from scipy.stats import spearmanr
from scorer_cases import CASES, LOGITS, Case
from scorer_data import CLASSES, PER_CLASS, QUERIES, WIDTH, Data

from oodkit.scorers import Need, Scorer, create

AT_MOST_SOFTMAX, AT_MOST_PEER = 1.5, 1.0
SLOW_SECONDS = 5  # a peer that takes longer is timed once


class Line(NamedTuple):
    """The cells of one line, as text."""

    softmax: str = ""
    scoring: str = ""
    fitting: str = ""
    ranks: str = ""


def main(names: list[str], repeats: int, threads: int) -> None:
    torch.set_num_threads(threads)
    known = [case.name for case in CASES]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no case named {unknown[0]}; the cases are {', '.join(known)}")
    print(f"{threads} thread(s), {repeats} alternating repeats; times as ratios, ours over the other's")
    print(f"logits: {QUERIES:,} x {CLASSES:,}; features: {QUERIES:,} x {WIDTH}, {CLASSES:,} classes of {PER_CLASS}")
    targets = f"one softmax (at most {AT_MOST_SOFTMAX}) | scoring (at most {AT_MOST_PEER})"
    print(f"| scorer | {targets} | fitting | ranks | remark |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        if not names or case.name in names:
            cells = " | ".join([*measure(case, repeats), "; ".join(filter(None, [case.size, case.remark]))])
            print(f"| `{case.name}` | {cells} |", flush=True)


def measure(case: Case, repeats: int) -> Line:
    """The line of one scorer; what was not measured is left empty."""
    data = case.data()
    scorer = fitted(case, data)
    scoring = partial(scorer.score_samples, data.queries)
    softmax = ""
    if case in LOGITS:
        softmax = str(compare(scoring, partial(torch.softmax, data.queries, 1), repeats))
    if case.peer is None:
        return Line(softmax, "has none")
    try:
        with torch.no_grad():
            peer = case.peer.fitted(data)
            start = perf_counter()
            theirs = case.peer.scores(peer, data)
            slow = perf_counter() - start > SLOW_SECONDS
            ranks = spearmanr(scoring(), -theirs.double().numpy()).statistic
            ratio = compare(scoring, partial(case.peer.scores, peer, data), 1 if slow else repeats)
            fitting = ""
            if case.peer.fit:
                fitting = str(compare(partial(fitted, case, data), partial(case.peer.fitted, data), repeats))
    except ModuleNotFoundError:
        return Line(softmax, "not installed")
    return Line(softmax, str(ratio), fitting, f"{ranks:.6f}")


def fitted(case: Case, data: Data) -> Scorer:
    """A new scorer, given all that the data have."""
    scorer = create(case.name, **case.params)
    head = None if Need.LOGITS in scorer.needs else (data.weight, data.bias)
    return scorer.fit(data.rows, data.labels, head=head, text=data.weight)


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    only = options.get("--only", "")
    main(only.split(",") if only else [], int(options.get("--repeats", 7)), int(options.get("--threads", 2)))
