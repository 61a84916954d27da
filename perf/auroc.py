"""AUROC of a million scores, alone and with DeLong's interval, beside scikit-learn's roc_auc_score.

Run: python perf/auroc.py [--repeats N]
"""

import sys
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pairing import compare
from sklearn.metrics import roc_auc_score

from oodkit.metrics import auroc, auroc_interval

PER_SIDE = 500_000
TARGET_AREA, TARGET_INTERVAL, TARGET_DIFFERENCE = 0.2, 0.4, 1e-12


def main(repeats: int) -> None:
    print(f"{2 * PER_SIDE:,} scores, {repeats} alternating repeats; ratio of times to scikit-learn, median (range)")
    targets = f"at most {TARGET_AREA}", f"at most {TARGET_INTERVAL}", f"at most {TARGET_DIFFERENCE}"
    row = "{:<22} {:<24} {:<24} {}".format
    print(row("scores", "auroc", "auroc_interval", "largest difference"))
    print(row("target", *targets))
    for name, in_scores, out_scores in samples():
        labels = np.repeat([1, 0], [len(in_scores), len(out_scores)])
        scores = np.concatenate([in_scores, out_scores])
        area, interval = partial(auroc, in_scores, out_scores), partial(auroc_interval, in_scores, out_scores)
        peer = partial(roc_auc_score, labels, scores)
        difference = max(abs(area() - peer()), abs(interval().auroc - peer()))
        ratios = compare(area, peer, repeats), compare(interval, peer, repeats)
        print(row(name, *map(str, ratios), f"{difference:.1e}"), flush=True)


def samples() -> list[tuple[str, NDArray[np.floating], NDArray[np.floating]]]:
    """Normal scores of AUROC 0.76, in both precisions, and rounded so that nearly all have an equal."""
    rng = np.random.default_rng(0)
    in_scores, out_scores = rng.normal(1, 1, PER_SIDE), rng.normal(0, 1, PER_SIDE)
    return [
        ("float32", in_scores.astype(np.float32), out_scores.astype(np.float32)),
        ("float32, 2 decimals", in_scores.round(2).astype(np.float32), out_scores.round(2).astype(np.float32)),
        ("float64", in_scores, out_scores),
    ]


if __name__ == "__main__":
    main(int(sys.argv[sys.argv.index("--repeats") + 1]) if "--repeats" in sys.argv else 7)
