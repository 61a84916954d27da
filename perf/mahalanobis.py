"""Mahalanobis scoring and fitting, beside pytorch-ood 0.4's loop over classes and a float64 reference.

Run: python perf/mahalanobis.py [--repeats N]

pytorch-ood is no dependency: `pip install --no-deps --target peers pytorch-ood==0.4.0`, then PYTHONPATH=peers.
"""

import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

import torch
from pairing import compare

from oodkit.scorers import Mahalanobis, RelativeMahalanobis

CLASSES, WIDTH, PER_CLASS, QUERIES = 1_000, 768, 20, 2_000
CONDITION = 1e6


def main(repeats: int) -> None:
    torch.manual_seed(0)
    mixing = torch.linalg.qr(torch.randn(WIDTH, WIDTH, dtype=torch.float64))[0] * torch.logspace(
        0, torch.tensor(CONDITION).log10().item() / 2, WIDTH, dtype=torch.float64
    )
    means = torch.randn(CLASSES, WIDTH, dtype=torch.float64) @ mixing.T
    labels = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    features = (means[labels] + torch.randn(len(labels), WIDTH, dtype=torch.float64) @ mixing.T).float()
    of = torch.randint(CLASSES, (QUERIES,))
    queries = (means[of] + torch.randn(QUERIES, WIDTH, dtype=torch.float64) @ mixing.T).float()

    ours = Mahalanobis().fit(features, labels)
    print(f"{QUERIES:,} queries, {CLASSES:,} classes x {WIDTH}, condition {CONDITION:.0e}")
    exact = reference(features.double(), labels, queries.double())
    wrong = (torch.from_numpy(-ours.score_samples(queries)) / exact - 1).abs().max()
    print(f"smallest squared distance, largest relative error to float64: {wrong:.1e} (at most 1e-05)")
    try:
        from pytorch_ood.detector import Mahalanobis as Peer
    except ImportError:
        print("pytorch-ood is not installed, see the top of this file: no comparison of times")
    else:
        peer = Peer(None)
        peer.fit_features(features, labels)
        ratio = compare(lambda: ours.score_samples(queries), lambda: peer.predict_features(queries), repeats)
        low, middle, high = 1 / ratio.high, 1 / ratio.median, 1 / ratio.low
        print(f"pytorch-ood's time over ours: {middle:.0f} ({low:.0f} to {high:.0f}), at least 100")

    many, of_many = torch.randn(15_000, 1280), torch.arange(15_000) % 100
    for scorer in (Mahalanobis(), Mahalanobis(normalize=True), RelativeMahalanobis()):
        print(f"fit of 15,000 x 1280, 100 classes: {seconds(partial(scorer.fit, many, of_many)):.2f} s, {scorer}")


def reference(features: torch.Tensor, labels: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """Smallest squared distances in float64, class by class."""
    means = torch.stack([features[labels == c].mean(dim=0) for c in range(CLASSES)])
    residuals = features - means[labels]
    factor = torch.linalg.cholesky(residuals.T @ residuals / len(features))
    smallest = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    for mean in means:
        whitened = torch.linalg.solve_triangular(factor, (queries - mean).T, upper=False)
        smallest = torch.minimum(smallest, whitened.square().sum(dim=0))
    return smallest


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[sys.argv.index("--repeats") + 1]) if "--repeats" in sys.argv else 3)
