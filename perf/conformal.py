"""Simulate the guarantee of a detector on real embeddings: 200 random splits into fit, calibration and new images.

Run: python perf/conformal.py [--in cifar100] [--out dtd] [--image-size 128] [--splits 200]

In-images are a data set's test split: 1,500 are fitted on, 1,500 calibrate, the others are new; ten splits in a row
share a fit and divide the others anew. Printed are, for each scorer and rate, the mean share of new images that are
flagged with its standard error over splits, and how often that share lies in the 95 % interval that a detector states,
beside how often it should: the interval is of the share in all images like these, so that of 2,000 new ones it covers
less often, by a beta-binomial law. Then, of batches of 100 new images, the share that raises an alarm, without and with
out-images among them.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import oodkit
from oodkit.metrics import BatchRanks, batch_alarm, conformal_flag_rate, conformal_p_values, conformal_threshold
from oodkit.scorers import create

SCORERS, RATES = ("knn", "mahalanobis", "relative_mahalanobis"), (0.01, 0.05, 0.1)
FIT, CALIBRATION, BATCH, SHARES = 1500, 1500, 100, (0.0, 0.05, 0.2)
ALARM_RATES, DRAWS = (0.01, 0.05), 999
SPLITS_PER_FIT = 10


def main() -> None:
    """Print two tables in Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--in", dest="in_", default="cifar100")
    parser.add_argument("--out", default="dtd")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--splits", type=int, default=200)
    words = parser.parse_args()
    backbone = oodkit.load_backbone("efficientnet_lite0", image_size=words.image_size)
    inside, outside = (oodkit.embed(oodkit.load_dataset(name), backbone) for name in (words.in_, words.out))
    assert inside.labels is not None
    rows = np.array(inside.features, np.float32), inside.labels, np.array(outside.features, np.float32)
    print("| scorer | rate | flagged | standard error | k / (n + 1) | inside the interval | expected |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    kept = {name: list(_splits(name, *rows, words.splits)) for name in SCORERS}
    for name, splits in kept.items():
        for rate in RATES:
            _print_rate(name, rate, splits)
    print(f"\n| batches of {BATCH} | " + " | ".join(f"alarms at {100 * rate:g} %" for rate in ALARM_RATES) + " |")
    print("| --- |" + " --- |" * len(ALARM_RATES))
    for share in SHARES:
        _print_alarms(share, kept["knn"])


Split = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _splits(
    name: str, inside: NDArray[np.float32], labels: NDArray[np.int64], outside: NDArray[np.float32], count: int
) -> Iterator[Split]:
    """Scores of calibration, new and out-images."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        if seed % SPLITS_PER_FIT == 0:
            fit, rest = np.split(rng.permutation(len(inside)), [FIT])
            scorer = create(name).fit(inside[fit], labels[fit])
            scores, out = scorer.score_samples(inside[rest]), scorer.score_samples(outside)
        held, new = np.split(rng.permutation(scores), [CALIBRATION])
        yield held, new, rng.permutation(out)[:BATCH]


def _print_rate(name: str, rate: float, splits: list[Split]) -> None:
    flagged = np.array([np.mean(new < conformal_threshold(held, rate)) for held, new, _ in splits])
    stated, new = conformal_flag_rate(CALIBRATION, rate), len(splits[0][1])
    k = round(stated.expected * (CALIBRATION + 1))
    law = stats.betabinom(new, k, CALIBRATION + 1 - k)
    expected = law.cdf(np.floor(stated.high * new)) - law.cdf(np.ceil(stated.low * new) - 1)
    inside = np.mean((flagged >= stated.low) & (flagged <= stated.high))
    error = flagged.std(ddof=1) / np.sqrt(len(flagged))
    cells = [f"{100 * value:.2f} %" for value in (flagged.mean(), error, stated.expected)]
    print(
        f"| {name} | {100 * rate:g} % | {' | '.join(cells)} | {100 * inside:.1f} % | {100 * expected:.1f} % |",
        flush=True,
    )


def _print_alarms(share: float, splits: list[Split]) -> None:
    batch_alarm.DRAWS = DRAWS
    odd, p_values = round(share * BATCH), []
    for held, new, out in splits:
        scores = np.concatenate([new[: BATCH - odd], out[:odd]])
        found = BatchRanks(len(held)).add(conformal_p_values(held, scores)).alarm(0.05, max(ALARM_RATES))
        p_values.append(found.p_value)
    raised = [f"{100 * np.mean(np.array(p_values) <= rate):.1f} %" for rate in ALARM_RATES]
    print(f"| {odd} out-images | {' | '.join(raised)} |", flush=True)


if __name__ == "__main__":
    main()
