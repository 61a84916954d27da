"""Which scorer and backbone suit some images, told from these images alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from oodkit.detector.classes import cluster_rows, labelled
from oodkit.detector.fitting import Divided, Task
from oodkit.detector.holdout import split_by_content
from oodkit.embedding import Embeddings
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput, OodkitError, TooFewSamples
from oodkit.metrics import auroc
from oodkit.progress import progress
from oodkit.scorers.unit_rows import unit_rows

CANDIDATES = ("knn", "kernel", "mahalanobis", "relative_mahalanobis", "prototypes", "ssd", "pca")
FOLDS = 5
CLUSTERS = 10  # stand in for classes where there are none
MOST_IMAGES = 20_000
TESTED = 0.2  # share of the remaining classes' images that a fold is tested on


@dataclass(frozen=True)
class Candidate:
    """How one backbone and scorer told images of held-out classes from others.

    Attributes:
        backbone: its name.
        scorer: its text.
        aurocs: of each fold.
        mean: of these.
        spread: their standard deviation.
    """

    backbone: str
    scorer: str
    aurocs: tuple[float, ...]
    mean: float
    spread: float


@dataclass(frozen=True)
class Comparison:
    """What was compared.

    Attributes:
        candidates: the best first.
        left_out: candidates that could not be compared, with the reason.
        groups: what stood in for OOD images, such as "10 k-means clusters".
        folds: how many times some of the groups were held out.
        images: number of images.
        seed: of all draws.
    """

    candidates: tuple[Candidate, ...]
    left_out: dict[str, str]
    groups: str
    folds: int
    images: int
    seed: int

    @property
    def caution(self) -> str:
        """What the figures are and are not."""
        return (
            f"a proxy: {self.groups} of these {self.images:,} images, a part held out in each of {self.folds} folds, "
            "stood in for OOD images, which may be of another sort; differences within the spread say little"
        )

    @property
    def doubt(self) -> str | None:
        """That the first two can hardly be told apart: their mean difference is within two standard errors of 0."""
        if len(self.candidates) < 2 or self.folds < 2:
            return None
        first, second = (np.array(one.aurocs) for one in self.candidates[:2])
        differences = 100 * (first - second)
        error = float(np.std(differences, ddof=1) / np.sqrt(len(differences)))
        if differences.mean() > 2 * error:
            return None
        return (
            f"no clear winner: the first is ahead of the second by {differences.mean():.2f} points, "
            f"with a standard error over folds of {error:.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "caution": self.caution, "doubt": self.doubt}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` gave."""
        candidates = tuple(Candidate(**{**one, "aurocs": tuple(one["aurocs"])}) for one in values["candidates"])
        rest = {name: value for name, value in values.items() if name not in ("candidates", "caution", "doubt")}
        return cls(candidates, **rest)


@dataclass(frozen=True)
class Fold:
    """Rows of one fold.

    Attributes:
        fit: that are fitted on.
        test: of the same groups, not fitted on.
        out: of the groups that are held out.
    """

    fit: NDArray[np.int64]
    test: NDArray[np.int64]
    out: NDArray[np.int64]


def compare(tasks: Sequence[Task], hold_out: float | None, seed: int, folds: int = FOLDS) -> tuple[Task, Comparison]:
    """Compare backbones and scorers by how well they tell held-out classes from others.

    In each fold some classes are taken for OOD images; the scorer is fitted on four fifths of the other images, and the
    AUROC is of the last fifth. Where there are no classes, k-means clusters of the directions of all backbones'
    features, side by side, take their place. Images that are held out to calibrate are left out, so that a threshold on
    them means what it says.

    Args:
        tasks: a candidate each, of the same images; those of one backbone share it.
        hold_out: share of the distinct images that is held out, as in `Task.run`.
        seed: of all draws, as in `Task.run`.
        folds: how many there are at most; no more than classes.

    Returns:
        The best candidate, of the largest mean AUROC, and the comparison.

    Raises:
        InvalidInput: no candidate can be fitted on these images.
        TooFewSamples: too few images or different ones.
    """
    if folds < 2:
        raise InvalidInput(f"a comparison needs at least 2 folds, got {folds}")
    left_out, able = {}, []
    for task in tasks:
        apart = "its scores depend on the images beside, so no threshold fits"
        reason = task.lacks() if task.scorer.inductive else apart
        if reason is None:
            able.append(task)
        else:
            left_out[_name(task)] = reason
    if not able:
        raise InvalidInput(f"nothing to compare: {'; '.join(f'{name}: {why}' for name, why in left_out.items())}")
    parts = _divided(able, hold_out, seed)
    groups, words = _groups(able[0], list(parts.values()), seed)
    any_part = next(iter(parts.values()))
    plan = list(_folds(groups, any_part.seen, folds, seed))
    found: list[tuple[Task, Candidate]] = []
    count = len(able) * len(plan)
    with training_checkpoints(able[0].cache), progress("comparing", count, "fits") as advance:
        for task in able:
            part = _with_groups(parts[id(task.backbone)], groups) if task.clusters is not None else None
            part = part or parts[id(task.backbone)]
            try:
                aurocs = [_auroc(task, part, fold, seed, advance) for fold in plan]
            except OodkitError as error:
                left_out[_name(task)] = str(error)
                continue
            spread = float(np.std(aurocs, ddof=1)) if len(aurocs) > 1 else 0.0
            mean = float(np.mean(aurocs))
            found.append((task, Candidate(task.backbone.name, repr(task.scorer), tuple(aurocs), mean, spread)))
    if not found:
        raise InvalidInput(f"nothing to compare: {'; '.join(f'{name}: {why}' for name, why in left_out.items())}")
    found.sort(key=lambda one: -one[1].mean)
    candidates = tuple(candidate for _, candidate in found)
    return found[0][0], Comparison(candidates, left_out, words, len(plan), len(any_part.seen), seed)


def _name(task: Task) -> str:
    return f"{task.scorer!r} on {task.backbone.name}"


def _divided(tasks: Sequence[Task], hold_out: float | None, seed: int) -> dict[int, Divided]:
    """For each backbone the images that are compared, the same ones."""
    parts: dict[int, Divided] = {}
    for task in tasks:
        if id(task.backbone) not in parts:
            whole = task.divide(hold_out, seed)
            drawn = np.sort(np.random.default_rng(seed).permutation(len(whole.seen))[:MOST_IMAGES])
            parts[id(task.backbone)] = _subset(whole, drawn)
    return parts


def _groups(task: Task, parts: Sequence[Divided], seed: int) -> tuple[NDArray[np.int64], str]:
    """The class or cluster of each image, and what they are in words."""
    labels = parts[0].seen.labels
    if task.clusters is None and labels is not None and (count := len(np.unique(labels))) > 1:
        return labels, f"{count} classes"
    count = min(CLUSTERS if task.clusters is None else task.clusters, len(parts[0].seen) // 2)
    if count < 2:
        raise TooFewSamples(f"{len(parts[0].seen)} images are too few to choose a scorer by; give more, or name one")
    rows = np.hstack([_directions(part.seen) for part in parts])
    return cluster_rows(rows, count, seed), f"{count} k-means clusters"


def _directions(part: Embeddings) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = unit_rows(torch.from_numpy(np.array(part.features, dtype=np.float32))).numpy()
    return rows


def _folds(groups: NDArray[np.int64], part: Embeddings, folds: int, seed: int) -> Iterator[Fold]:
    """Every group is held out once, with others where there are more groups than folds."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    assert part.digests is not None
    for number, out_groups in enumerate(np.array_split(names, min(folds, len(names)))):
        out = np.isin(groups, out_groups)
        rest = np.flatnonzero(~out)
        fit, test = split_by_content(part.digests[rest], TESTED, seed + number)
        yield Fold(rest[fit], rest[test], np.flatnonzero(out))


def _auroc(task: Task, part: Divided, fold: Fold, seed: int, advance: Callable[[], None]) -> float:
    scorer, extras = clone(task.scorer), task.extras
    if extras.class_names is not None and part.seen.labels is not None:
        kept = np.unique(part.seen.labels[fold.fit])
        extras = replace(extras, class_names=[extras.class_names[label] for label in kept])
    once = replace(task, scorer=scorer, extras=extras, clusters=None)
    fitted = once.fit(_subset(part, fold.fit, renumbered=True), seed)
    scores = [scorer.score_samples(fitted.rows.of(part.seen.features[rows])) for rows in (fold.test, fold.out)]
    advance()
    return auroc(*scores)


def _with_groups(part: Divided, groups: NDArray[np.int64]) -> Divided:
    train = labelled(part.train, groups)
    train.class_names = None
    return replace(part, train=train, seen=replace(part.seen, labels=groups, class_names=None))


def _subset(part: Divided, rows: NDArray[np.int64], renumbered: bool = False) -> Divided:
    """Some of the images; with classes numbered from 0 without gaps, if asked for."""
    train, seen = part.train.subset(rows), part.seen[rows]
    if renumbered and seen.labels is not None:
        kept, labels = np.unique(seen.labels, return_inverse=True)
        names = None if seen.class_names is None else tuple(seen.class_names[i] for i in kept)
        train, seen = labelled(train, labels), replace(seen, labels=labels, class_names=names)
        train.class_names = names
    return replace(part, train=train, seen=seen, means=part.means[rows])
