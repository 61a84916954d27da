"""How well trivial cues alone tell two sets apart."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oodkit.audit.cues import CUES, FILE_CUES, PIXEL_CUES
from oodkit.audit.facts import Facts
from oodkit.metrics import auroc_interval
from oodkit.progress import Advance, progress

FOLDS = 5
FEWEST = 10  # images a side from which a classifier is cross-validated
FORMAT = "format"
LEARNED_ALL, LEARNED_PIXELS = "learned_all", "learned_pixels"


@dataclass(frozen=True)
class Baseline:
    """A cue, and the AUROC with which it tells the test images of two sets apart, whichever way round.

    Attributes:
        name: the cue, "format", "learned_all" or "learned_pixels".
        kind: "file" for what the encoded file says, "pixels" for what a backbone sees, "learned" for a classifier.
        auroc: at least 0.5: the larger of the AUROC and 1 minus it.
        low: lower end of DeLong's 95 % interval; None where a side has one image.
        high: upper end; None where a side has one image.
        higher: the side with the higher values, "in" or "out".
        typical_in: median of the in-images, or their most frequent format; None for a classifier.
        typical_out: the same of the out-images.
    """

    name: str
    kind: Literal["file", "pixels", "learned"]
    auroc: float
    low: float | None
    high: float | None
    higher: Literal["in", "out"]
    typical_in: float | str | None = None
    typical_out: float | str | None = None


def baselines(in_: Facts, out: Facts, seed: int = 0) -> tuple[Baseline, ...]:
    """Every cue's AUROC, and that of a classifier on all cues and on those of the pixels; the strongest first.

    The format is scored by the share of in-images among the images of each format. The classifier is a logistic
    regression on the cues, each brought to a normal distribution by its ranks; images are scored by one that was not
    fitted on them (cross-validation in 5 folds). Unlike any scorer it has seen images of the out-set: it says how far
    the pair can be told apart without looking at what images show.

    Args:
        in_: facts of the in-set's test images.
        out: facts of the out-set's test images.
        seed: of the division into folds.
    """
    found = []
    enough = min(len(in_), len(out)) >= FEWEST
    with progress("trivial baselines", len(CUES) + 1 + 2 * FOLDS * enough, unit="steps") as advance:
        for column, name in enumerate(CUES):
            kind: Literal["file", "pixels"] = "file" if name in FILE_CUES else "pixels"
            found.append(_single(name, kind, in_.cues[:, column], out.cues[:, column]))
            advance()
        found.append(_by_format(in_.formats, out.formats))
        advance()
        if enough:
            of_pixels = [CUES.index(name) for name in PIXEL_CUES]
            found.append(_learned(LEARNED_PIXELS, in_.cues[:, of_pixels], out.cues[:, of_pixels], seed, advance))
            known = np.unique(np.concatenate([in_.formats, out.formats]))
            in_all, out_all = (np.hstack([side.cues, side.formats[:, None] == known]) for side in (in_, out))
            found.append(_learned(LEARNED_ALL, in_all, out_all, seed, advance))
    return tuple(sorted(found, key=lambda baseline: -baseline.auroc))


def _single(
    name: str, kind: Literal["file", "pixels"], in_values: NDArray[np.float64], out_values: NDArray[np.float64]
) -> Baseline:
    typical = float(np.median(in_values)), float(np.median(out_values))
    return Baseline(name, kind, *_either_way(in_values, out_values), *typical)


def _by_format(in_formats: NDArray[np.str_], out_formats: NDArray[np.str_]) -> Baseline:
    names = np.unique(np.concatenate([in_formats, out_formats]))
    count_in = (in_formats[:, None] == names).sum(axis=0)
    count_out = (out_formats[:, None] == names).sum(axis=0)
    share = count_in / len(in_formats) / (count_in / len(in_formats) + count_out / len(out_formats))
    scores = (share[np.searchsorted(names, side)] for side in (in_formats, out_formats))
    typical = str(names[count_in.argmax()]), str(names[count_out.argmax()])
    return Baseline(FORMAT, "file", *_either_way(*scores), *typical)


def _learned(
    name: str, in_cues: NDArray[np.float64], out_cues: NDArray[np.float64], seed: int, advance: Advance
) -> Baseline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    x = np.vstack([in_cues, out_cues])
    y = np.repeat([1, 0], [len(in_cues), len(out_cues)])
    model = make_pipeline(
        QuantileTransformer(
            n_quantiles=min(1000, len(x) * (FOLDS - 1) // FOLDS),
            output_distribution="normal",
            subsample=100_000,
            random_state=seed,
        ),
        LogisticRegression(class_weight="balanced", max_iter=1000),
    )
    scores = np.empty(len(x))
    for fitted, scored in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        scores[scored] = model.fit(x[fitted], y[fitted]).decision_function(x[scored])
        advance()
    return Baseline(name, "learned", *_either_way(scores[y == 1], scores[y == 0]))


def _either_way(
    in_values: NDArray[np.float64], out_values: NDArray[np.float64]
) -> tuple[float, float | None, float | None, Literal["in", "out"]]:
    found = auroc_interval(in_values, out_values)
    higher: Literal["in", "out"] = "in"
    if found.auroc < 0.5:
        found, higher = auroc_interval(-in_values, -out_values), "out"
    low, high = (None if np.isnan(end) else end for end in (found.low, found.high))
    return found.auroc, low, high, higher
