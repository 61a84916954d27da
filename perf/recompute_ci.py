"""Recompute a suite's AUROCs from the stored features, each score from its formula, and compare them with the results.

Run: python perf/recompute_ci.py --data-root DIR --results DIR [--cache DIR] [--suite ci] [--tolerance 1e-6]

after `oodkit bench --suite ci` with the same folders. All is float64 NumPy and SciPy, written from the formulas and
the definition of the AUROC. Features, labels and heads are those that the benchmark used: a probe is fitted by
iterations, which no formula gives, so it is not recomputed. Exits with 1 where a figure differs or is missing.
"""

# NumPy's functions return Any.
# mypy: disable-error-code="no-any-return"

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, pinv, solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, rel_entr, xlogy
from scipy.stats import rankdata

from oodkit.bench.options import Options
from oodkit.bench.planning import make_plan
from oodkit.bench.results import Results
from oodkit.bench.suite_file import SuiteFile
from oodkit.evaluation.session import Session

BLOCK = 1000  # rows that are compared with all others at once
ROUNDING = np.finfo(np.float64).eps
Array = NDArray[np.float64]
Score = Callable[[Array], Array]


@dataclass(frozen=True)
class Train:
    """What a score is fitted on.

    Attributes:
        z: (N, D) features.
        y: (N,) labels.
        w: (C, D) weight of the head.
        b: (C,) its bias.
    """

    z: Array
    y: NDArray[np.int64]
    w: Array
    b: Array

    def logits(self, z: Array) -> Array:
        """Logits of features."""
        return z @ self.w.T + self.b

    @cached_property
    def unit(self) -> Array:
        """Features of length 1."""
        return unit(self.z)

    @cached_property
    def mean(self) -> Array:
        """Mean feature."""
        return self.z.mean(axis=0)

    @cached_property
    def class_means(self) -> Array:
        """(C, D), in ascending order of label."""
        return np.stack([self.z[self.y == c].mean(axis=0) for c in np.unique(self.y)])

    @cached_property
    def within(self) -> tuple[Array, float]:
        """Covariance around the class means, and the weight of the identity in it where it would be singular."""
        rows = self.z - self.class_means[np.searchsorted(np.unique(self.y), self.y)]
        covariance = rows.T @ rows / len(rows)
        variances = eigh(covariance, eigvals_only=True)
        if variances[0] > len(covariance) * ROUNDING * variances[-1]:
            return covariance, 0.0
        target = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        spread = ((rows**2).sum(axis=1) ** 2).mean() - (covariance**2).sum()
        weight = min(1.0, spread / len(rows) / ((covariance - target) ** 2).sum())  # Ledoit and Wolf, 2004
        return (1 - weight) * covariance + weight * target, weight

    @cached_property
    def around_origin(self) -> tuple[Array, Array, Array]:
        """The origin -pinv(W) b, and variances and directions of the features around it, ascending."""
        origin = -pinv(self.w) @ self.b
        rows = self.z - origin
        return origin, *eigh(rows.T @ rows / len(rows))


def unit(z: Array) -> Array:
    """Rows of length 1; a zero row stays."""
    length = np.sqrt((z**2).sum(axis=1, keepdims=True))
    return np.divide(z, length, out=np.zeros_like(z), where=length > 0)


def whitened(covariance: Array, rows: Array) -> Array:
    """Rows in the space where the Mahalanobis distance is the Euclidean one."""
    return solve_triangular(cholesky(covariance, lower=True), rows.T, lower=True).T


def largest_of(rows: Array, bank: Array, k: int) -> Array:
    """(B, k) largest inner products with the rows of a bank, in descending order."""
    found = []
    for start in range(0, len(rows), BLOCK):
        products = rows[start : start + BLOCK] @ bank.T
        found.append(-np.sort(-np.partition(products, -k, axis=1)[:, -k:], axis=1))
    return np.concatenate(found)


def on_logits(score: Callable[[Array], Array]) -> Callable[[Train], Score]:
    """A score of logits alone."""
    return lambda train: lambda z: score(train.logits(z))


def knn(train: Train) -> Score:
    return lambda z: largest_of(unit(z), train.unit, 1)[:, 0]


def knn_kth(train: Train) -> Score:
    return lambda z: largest_of(unit(z), train.unit, 10)[:, 9]


def to_class(train: Train, z: Array) -> Array:
    covariance, _ = train.within
    rows, means = whitened(covariance, z - train.mean), whitened(covariance, train.class_means - train.mean)
    return cdist(rows, means, "sqeuclidean").min(axis=1)


def mahalanobis(train: Train) -> Score:
    return lambda z: -to_class(train, z)


def relative_mahalanobis(train: Train) -> Score:
    covariance, _ = train.within
    counts = np.unique(train.y, return_counts=True)[1]
    means = train.class_means - train.mean
    total = covariance + (means.T * counts) @ means / len(train.y)
    return lambda z: (whitened(total, z - train.mean) ** 2).sum(axis=1) - to_class(train, z)


def prototypes(train: Train) -> Score:
    means = unit(np.stack([train.unit[train.y == c].mean(axis=0) for c in np.unique(train.y)]))
    return lambda z: (unit(z) @ means.T).max(axis=1)


def pca(train: Train) -> Score:
    mean = train.unit.mean(axis=0)
    variances, directions = eigh((train.unit - mean).T @ (train.unit - mean) / len(train.unit))
    held = np.cumsum(variances[::-1]) / variances.sum()
    kept = directions[:, ::-1][:, : int((held < 0.9).sum()) + 1]

    def score(z: Array) -> Array:
        rows = unit(z) - mean
        return -np.sqrt(((rows - rows @ kept @ kept.T) ** 2).sum(axis=1))

    return score


def msp(logits: Array) -> Array:
    largest = logits.argmax(axis=1)
    rest = np.exp(logits - logits.max(axis=1, keepdims=True))
    rest[np.arange(len(logits)), largest] = 0
    return -np.log1p(rest.sum(axis=1))  # of the probability, which would round to 1


def max_logit(logits: Array) -> Array:
    return logits.max(axis=1)


def energy(logits: Array) -> Array:
    return logsumexp(logits, axis=1)


def entropy(logits: Array) -> Array:
    p = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    return xlogy(p, p).sum(axis=1)


def gen(logits: Array) -> Array:
    ordered = -np.sort(-logits, axis=1)
    whole, rest = logsumexp(ordered, axis=1), logsumexp(ordered[:, 1:], axis=1)
    log_p = ordered - whole[:, None]
    log_other = np.log1p(-np.exp(log_p))
    log_other[:, 0] = rest - whole
    return -np.exp(0.1 * (log_p + log_other)[:, :100]).sum(axis=1)


def kl_matching(train: Train) -> Score:
    def probabilities(z: Array) -> Array:
        logits = train.logits(z)
        return np.exp(logits - logsumexp(logits, axis=1, keepdims=True))

    p_fit = probabilities(train.z)
    predicted = p_fit.argmax(axis=1)
    templates = [np.maximum(p_fit[predicted == k].mean(axis=0), 1e-12) for k in np.unique(predicted)]

    def score(z: Array) -> Array:
        p = probabilities(z)
        # Templates are no longer distributions where a floor was put, hence no scipy.stats.entropy.
        return -np.min([(rel_entr(p, template)).sum(axis=1) for template in templates], axis=0)

    return score


def react(train: Train) -> Score:
    clip = np.percentile(train.z, 90)
    return lambda z: energy(train.logits(np.minimum(z, clip)))


def residual_length(train: Train, z: Array) -> Array:
    origin, _, directions = train.around_origin
    width = len(origin)
    taken = 1000 if width >= 2048 else 512 if width >= 768 else width // 2
    return np.sqrt((((z - origin) @ directions[:, : width - taken]) ** 2).sum(axis=1))


def residual(train: Train) -> Score:
    return lambda z: -residual_length(train, z)


def vim(train: Train) -> Score:
    alpha = train.logits(train.z).max(axis=1).mean() / residual_length(train, train.z).mean()
    return lambda z: energy(train.logits(z)) - alpha * residual_length(train, z)


def nnguide(train: Train) -> Score:
    bank = np.maximum(energy(train.logits(train.z)), 0)[:, None] * train.unit

    def score(z: Array) -> Array:
        own, guidance = energy(train.logits(z)), largest_of(unit(z), bank, 10).mean(axis=1)
        return np.where((own < 0) & (guidance < 0), -1, 1) * own * guidance

    return score


def fdbd(train: Train) -> Score:
    def score(z: Array) -> Array:
        logits = train.logits(z)
        found = np.empty(len(z))
        for j in range(len(train.w)):
            of_j = logits.argmax(axis=1) == j
            others = [c for c in range(len(train.w)) if c != j]
            lead = logits[of_j, j][:, None] - logits[of_j][:, others]
            found[of_j] = (lead / np.linalg.norm(train.w[j] - train.w[others], axis=1)).mean(axis=1)
        return found / np.linalg.norm(z - train.mean, axis=1)

    return score


def nci(train: Train) -> Score:
    def score(z: Array) -> Array:
        own = train.w[train.logits(z).argmax(axis=1)]
        centred = z - train.mean
        return (own * centred).sum(axis=1) / np.linalg.norm(centred, axis=1) + 1e-4 * np.abs(z).sum(axis=1)

    return score


def she(train: Train) -> Score:
    right = train.logits(train.z).argmax(axis=1) == train.y
    chosen = [(train.y == c) & right for c in range(len(train.w))]
    patterns = np.stack([train.z[mask if mask.any() else train.y == c].mean(axis=0) for c, mask in enumerate(chosen)])
    return lambda z: (z * patterns[train.logits(z).argmax(axis=1)]).sum(axis=1)


def scale(train: Train) -> Score:
    def score(z: Array) -> Array:
        kept = z.shape[1] - round(0.85 * z.shape[1])
        largest = np.sort(z, axis=1)[:, -kept:].sum(axis=1)
        factor = np.exp(np.divide(z.sum(axis=1), largest, out=np.full(len(z), -np.inf), where=largest > 0))
        return energy(train.logits(factor[:, None] * z))

    return score


# Each stands for the scorer with these parameters.
SCORES: dict[str, tuple[Callable[[Train], Score], dict[str, Any]]] = {
    "knn": (knn, {"k": 1}),
    "knn_kth": (knn_kth, {"k": 10}),
    "mahalanobis": (mahalanobis, {"normalize": False, "clusters": None, "covariance": "shared", "shrinkage": "auto"}),
    "relative_mahalanobis": (
        relative_mahalanobis,
        {"normalize": False, "clusters": None, "covariance": "shared", "shrinkage": "auto"},
    ),
    "prototypes": (prototypes, {"metric": "cosine"}),
    "pca": (pca, {"variance": 0.9, "components": None, "normalize": True}),
    "msp": (on_logits(msp), {"temperature": 1.0}),
    "max_logit": (on_logits(max_logit), {}),
    "energy": (on_logits(energy), {"temperature": 1.0}),
    "entropy": (on_logits(entropy), {}),
    "gen": (on_logits(gen), {"gamma": 0.1, "m": 100}),
    "kl_matching": (kl_matching, {}),
    "react": (react, {"percentile": 90}),
    "vim": (vim, {"dim": None}),
    "residual": (residual, {"dim": None}),
    "nnguide": (nnguide, {"k": 10}),
    "fdbd": (fdbd, {}),
    "nci": (nci, {"alpha": 1e-4}),
    "she": (she, {"metric": "dot"}),
    "scale": (scale, {"percentile": 85}),
}


def area(in_scores: Array, out_scores: Array) -> float:
    """Share of pairs in which the in-image scores higher, ties one half, from the sum of the in-images' ranks."""
    n, m = len(in_scores), len(out_scores)
    ranks = rankdata(np.concatenate([in_scores, out_scores]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def train_of(session: Session) -> Train:
    """Features, labels and head as the benchmark had them."""
    assert session.fit.labels is not None
    head = session.supply.head
    if head.unit_features:
        raise SystemExit(f"{session.backbone.name} has a head over the joint space, which is not recomputed here")
    return Train(
        np.asarray(session.fit.features, dtype=np.float64),
        np.asarray(session.fit.labels),
        head.weight.double().cpu().numpy(),
        head.bias.double().cpu().numpy(),
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--suite", default="ci")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    return parser.parse_args()


def main() -> int:
    given = arguments()
    suite = SuiteFile(None, data_root=given.data_root).suite(given.suite)
    worst: dict[str, float] = {}
    misses: list[str] = []
    count = 0
    print(f"{'in':12} {'out':14} {'backbone':36} {'scorer':22} {'stored':>10} {'recomputed':>12} {'difference':>11}")
    with Results(given.results, make=False) as results:
        stored = {(r.in_, r.out, r.backbone, r.scorer, r.seed): r for r in results.records(suite.name)}
        plan = make_plan(suite, Options(given.data_root, given.cache, "cpu"), None, trial=False)
        misses += [f"{name}: {reason}" for name, reason in plan.missing.items()]
        for job in plan.jobs:
            session = job.session
            session.embed()
            train = train_of(session)
            backbone = session.backbone.name
            print(f"# {session.in_}, {backbone}: head {session.supply.head_made}, shrinkage {train.within[1]:.3g}")
            test = np.asarray(session.test.features, dtype=np.float64)
            for choice in job.scorers:
                cells = [cell for cell in job.cells if cell.scorer == choice]
                records = [stored.get((session.in_, cell.pair.out, backbone, choice.name, cell.seed)) for cell in cells]
                make, params = SCORES.get(choice.name, (None, {}))
                known = [dict(record.params) for record in records if record is not None]
                if make is None or any({k: v for k, v in own.items() if k != "seed"} != params for own in known):
                    misses.append(f"{choice.name}, {backbone}: not recomputed, no formula for it or its parameters")
                    continue
                score = make(train)
                of_in = score(test)
                for cell, record in zip(cells, records, strict=True):
                    name = f"{session.in_:12} {cell.pair.out:14} {backbone:36} {choice.name:22}"
                    if record is None or record.auroc is None:
                        misses.append(f"{name} has no figure: {'did not run' if record is None else record.error}")
                        continue
                    found = area(of_in, score(np.asarray(session.outs[cell.pair.out].features, dtype=np.float64)))
                    difference = found - record.auroc
                    count += 1
                    worst[choice.name] = max(worst.get(choice.name, 0.0), abs(difference))
                    off = not abs(difference) <= given.tolerance  # NaN is off
                    print(f"{name} {record.auroc:10.7f} {found:12.7f} {difference:+11.1e}{'  MISS' if off else ''}")
                    if off:
                        misses.append(f"{name} is off by {difference:+.1e}")
    print("\nlargest difference per scorer")
    for name, difference in sorted(worst.items(), key=lambda item: -item[1]):
        print(f"{name:22} {difference:.1e}")
    print(f"{count} cells of {len(plan.cells)} compared, {len(misses)} misses, tolerance {given.tolerance:g}")
    print("\n".join(misses), file=sys.stderr)
    return 1 if misses or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
