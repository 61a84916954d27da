"""Exact k-NN: 10,000 queries against 50,000 x 768, beside the plain matrix product, faiss-cpu and scikit-learn.

Run: python perf/knn.py [--repeats N] [--clusters]

Rows are random directions; with --clusters they lie in 100 clusters with a common offset, as features of a network
do, where far more rows come near the nearest.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import faiss
import numpy as np
import torch
from pairing import compare
from private_memory import peak_private_bytes
from sklearn.neighbors import NearestNeighbors

from oodkit.scorers import KNN
from oodkit.scorers.bf16 import bf16_is_fast
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows

QUERIES, BANK, WIDTH = 10_000, 50_000, 768
TARGETS = {
    "float32 / product": {1: 1.20, 50: 1.35},
    "default / product": {1: 0.45, 50: 0.85},
    "default / faiss": {1: 1.15, 50: 1.15},
    "default / scikit-learn": {1: 1 / 3, 50: 1 / 3},
}


def main(repeats: int, clustered: bool) -> None:
    bank, queries = samples(BANK, clustered), samples(QUERIES, clustered)
    rows = unit_rows(bank)
    print(f"{QUERIES:,} queries, bank {BANK:,} x {WIDTH}, {repeats} alternating repeats")
    print(
        f"{torch.get_num_threads()} threads; bf16 search by default: {bf16_is_fast()}; ratio of times, median (range)"
    )
    row = "{:<24} {:>3}  {:<24} {}".format
    print(row("ours / peer", "k", "ratio", "at most"))
    for k in (1, 50):
        knn = KNN(k).fit(bank)
        default, plain = partial(knn.score_samples, queries), partial(torch.mm, unit_rows(queries), rows.T)
        float32 = partial(Bank(rows).nearest, unit_rows(queries), k, bf16=False)
        index = faiss.IndexFlatIP(WIDTH)
        index.add(rows.numpy())
        flat = partial(index.search, unit_rows(queries).numpy(), k)
        brute = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="cosine").fit(bank.numpy())
        cosine = partial(brute.kneighbors, queries.numpy())
        cases: dict[str, tuple[Callable[[], Any], Callable[[], Any], int]] = {
            "float32 / product": (float32, plain, repeats),
            "default / product": (default, plain, repeats),
            "default / faiss": (default, flat, repeats),
            "default / scikit-learn": (default, cosine, 1),
        }
        for name, (call, peer, times) in cases.items():
            print(row(name, k, str(compare(call, peer, times)), f"{TARGETS[name][k]:.2f}"), flush=True)
        products, found = flat()
        difference = abs(knn.score_samples(queries) - np.asarray(products).mean(axis=1)).max()
        ours = Bank(rows).nearest(unit_rows(queries), k)[1]
        same = (ours.sort(dim=1).values == torch.from_numpy(found).sort(dim=1).values).float().mean()
        _, above = peak_private_bytes(default)
        print(f"  largest difference to faiss {difference:.1e}, same neighbours {100 * same:.4f} %")
        print(f"  memory above bank and queries {above / 1e6:.0f} MB (at most 150)", flush=True)


def samples(count: int, clustered: bool) -> torch.Tensor:
    """(count, WIDTH) float32 features."""
    rows = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(count))
    if clustered:
        generator = torch.Generator().manual_seed(0)
        centres = 2 * torch.randn(100, WIDTH, generator=generator) + 2
        rows += centres[torch.randint(100, (count,), generator=generator)]
    return rows


if __name__ == "__main__":
    main(int(sys.argv[sys.argv.index("--repeats") + 1]) if "--repeats" in sys.argv else 3, "--clusters" in sys.argv)
