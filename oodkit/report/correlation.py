"""Whether backbones that tell an in-set's classes well also detect OOD well: k-NN accuracy against AUROC."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import linregress, pearsonr

from oodkit.bench.means import means
from oodkit.bench.record import Record
from oodkit.errors import InvalidInput, nearest_names
from oodkit.evaluation.plot import check_plot_path

ALL, IMAGE_TEXT, OTHER = "all", "image-text", "other"
_COLOURS = {IMAGE_TEXT: "#0072b2", OTHER: "#d55e00", ALL: "0.4"}  # of Okabe and Ito's palette
_MARKERS = {IMAGE_TEXT: "o", OTHER: "s"}
_FEWEST = 3  # points that do not always lie on a line
_FEWEST_FOR_INTERVAL = 4
_ACROSS = 3  # panels in a row


@dataclass(frozen=True)
class Point:
    """One backbone on one pair.

    Attributes:
        backbone: full name, with what tells it from others of that name.
        group: "image-text" for a backbone with a text tower, else "other".
        accuracy: of the k-NN classifier on the in-set's test images, a fraction.
        auroc: mean over seeds, a fraction.
    """

    backbone: str
    group: str
    accuracy: float
    auroc: float


@dataclass(frozen=True)
class LinearFit:
    """The straight line through the points of a group.

    Attributes:
        group: "all", "image-text" or "other".
        count: number of points.
        r_squared: share of the variance of the AUROC that the line explains, the squared correlation of Pearson; None
            for fewer than 3 points, or where accuracy or AUROC do not vary.
        interval: 95 %, by Fisher's transform of the correlation, as if backbones were a random sample; None for fewer
            than 4 points.
        slope, intercept: of the line; None where there is no R^2.
    """

    group: str
    count: int
    r_squared: float | None
    interval: tuple[float, float] | None
    slope: float | None = None
    intercept: float | None = None

    def __str__(self) -> str:
        """In words, for a table or a plot."""
        of = f"{self.group}, {self.count} backbone{'s' if self.count != 1 else ''}: "
        if self.count < _FEWEST:
            return of + f"no R², fewer than {_FEWEST} points always lie on a line"
        if self.r_squared is None:
            return of + "no R², all have the same accuracy or AUROC"
        if self.interval is None:
            return of + f"R² {self.r_squared:.3f}, too few for an interval: it says little"
        return of + f"R² {self.r_squared:.3f} ({self.interval[0]:.3f} - {self.interval[1]:.3f})"


@dataclass(frozen=True)
class Correlation:
    """One pair of one suite over backbones.

    Attributes:
        suite, in_, out: what the points are of.
        setting: view and limit, where they are not the usual ones; else empty.
        points: by backbone, in the order of the records.
        fits: one per group of backbones; where there are both groups, one over all as well.
    """

    suite: str
    in_: str
    out: str
    setting: str
    points: tuple[Point, ...]
    fits: tuple[LinearFit, ...]

    @property
    def title(self) -> str:
        """In- and out-set, and the setting."""
        return f"{self.in_} -> {self.out}" + (f", {self.setting}" if self.setting else "")


def correlations(records: Iterable[Record], scorer: str = "knn") -> list[Correlation]:
    """Correlate k-NN accuracy and AUROC over the backbones of each pair.

    The study that this repeats takes the AUROC of the nearest neighbour, that is scorer knn with k = 1.

    Args:
        records: of benchmarks; those of other scorers, of cells that failed, and of in-sets without labels, which have
            no accuracy, are left out.
        scorer: registry name; with other parameters than the default ones it is another scorer.

    Raises:
        InvalidInput: nothing is left.
    """
    given = list(records)
    own = [record for record in given if record.scorer == scorer]
    if not own:
        names = sorted({record.scorer for record in given})
        near = ", ".join(nearest_names(scorer, names) or names) or "nothing"
        raise InvalidInput(f"there are no results of scorer {scorer} to correlate accuracy with; there are of {near}")
    pairs: dict[tuple[str, ...], list[tuple[Record, float, float]]] = {}
    for mean in means(own):
        sound = [record for record in mean.records if record.auroc is not None]
        accuracies = [a for record in sound if (a := record.provenance.get("knn_accuracy")) is not None]
        if mean.auroc is None or not accuracies:
            continue
        sample = mean.sample
        params = ", ".join(f"{k}={v}" for k, v in sorted(sample.params.items()) if k != "seed")
        name = (sample.suite, sample.in_, sample.out, _setting(sample), params)
        pairs.setdefault(name, []).append((sample, float(np.mean(accuracies)), mean.auroc))
    if not pairs:
        raise InvalidInput(
            f"no result of scorer {scorer} has a k-NN accuracy beside it; in-sets need class labels, and results that "
            "an older version kept must be run again into a new folder"
        )
    several = len({name[-1] for name in pairs}) > 1
    return [
        _correlation(suite, in_, out, ", ".join(filter(None, (setting, params if several else ""))), found)
        for (suite, in_, out, setting, params), found in pairs.items()
    ]


def fit_line(group: str, accuracies: Sequence[float], aurocs: Sequence[float]) -> LinearFit:
    """The line through some points, and how well they lie on it.

    Args:
        group: what the points are called.
        accuracies: (n,).
        aurocs: (n,).
    """
    count = len(accuracies)
    if count < _FEWEST or np.ptp(accuracies) == 0 or np.ptp(aurocs) == 0:
        return LinearFit(group, count, None, None)
    line, pearson = linregress(accuracies, aurocs), pearsonr(accuracies, aurocs)
    interval = None
    if count >= _FEWEST_FOR_INTERVAL:
        low, high = pearson.confidence_interval(0.95)
        ends = sorted((low**2, high**2))
        interval = (0.0 if low < 0 < high else float(ends[0]), float(ends[1]))
    return LinearFit(group, count, float(pearson.statistic**2), interval, float(line.slope), float(line.intercept))


def plot_correlations(found: Sequence[Correlation], path: str | os.PathLike[str]) -> None:
    """Draw a panel per pair: a point per backbone, and the line of each group that has one.

    Args:
        found: at least one.
        path: where to write, PNG, PDF or SVG.

    Raises:
        InvalidInput: the file type is not known or the folder is not there.
    """
    target = check_plot_path(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = min(_ACROSS, len(found))
    down = math.ceil(len(found) / across)
    figure = Figure(figsize=(4.2 * across + 0.2, 3.7 * down), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, one in zip(panels, found, strict=False):
        _draw(panel, one)
    for panel in panels[len(found) :]:
        panel.set_axis_off()
    figure.savefig(target, dpi=110)


def _correlation(
    suite: str, in_: str, out: str, setting: str, found: Sequence[tuple[Record, float, float]]
) -> Correlation:
    names = _names([record for record, _, _ in found])
    points = tuple(
        Point(name, IMAGE_TEXT if record.provenance.get("image_text") else OTHER, accuracy, auroc)
        for name, (record, accuracy, auroc) in zip(names, found, strict=True)
    )
    groups: Mapping[str, list[Point]] = {
        group: kept for group in (IMAGE_TEXT, OTHER) if (kept := [point for point in points if point.group == group])
    }
    if len(groups) > 1:
        groups = {**groups, ALL: list(points)}
    fits = tuple(
        fit_line(group, [point.accuracy for point in kept], [point.auroc for point in kept])
        for group, kept in groups.items()
    )
    return Correlation(suite, in_, out, setting, points, fits)


def _setting(record: Record) -> str:
    limit = record.provenance.get("limit")
    words = [record.view if record.view != "identity" else "", f"limit {limit:,}" if limit else ""]
    return ", ".join(filter(None, words))


def _names(records: Sequence[Record]) -> list[str]:
    """Backbones, with input size, precision and head where these are needed to tell them apart."""
    names = [record.backbone for record in records]
    for more in (
        [f"{record.image_size} px" for record in records],
        [record.precision for record in records],
        [f"head {record.head}" for record in records],
    ):
        words: dict[str, set[str]] = {}
        for name, word in zip(names, more, strict=True):
            words.setdefault(name, set()).add(word)
        names = [f"{name}, {word}" if len(words[name]) > 1 else name for name, word in zip(names, more, strict=True)]
    return names


def _draw(panel: Any, one: Correlation) -> None:
    for group in (IMAGE_TEXT, OTHER):
        points = [point for point in one.points if point.group == group]
        if points:
            places = [100 * point.accuracy for point in points], [100 * point.auroc for point in points]
            panel.scatter(*places, s=26, color=_COLOURS[group], marker=_MARKERS[group], zorder=3)
    spread = np.array([point.accuracy for point in one.points])
    middle = (spread.min() + spread.max()) / 2
    for point in one.points:
        right = point.accuracy > middle  # names grow towards the middle of the panel
        panel.annotate(
            _short(point.backbone),
            (100 * point.accuracy, 100 * point.auroc),
            xytext=(-6 if right else 6, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=6.5,
            parse_math=False,
        )
    for fit in one.fits:
        if fit.slope is not None and fit.intercept is not None:
            own = [point.accuracy for point in one.points if fit.group in (ALL, point.group)]
            ends = np.array([min(own), max(own)])
            style = "--" if fit.group == ALL else "-"
            heights = 100 * (fit.slope * ends + fit.intercept)
            panel.plot(100 * ends, heights, style, color=_COLOURS[fit.group], linewidth=1.1)
    panel.margins(0.18)
    panel.set_ylim(top=min(panel.get_ylim()[1], 101.5))
    panel.set_title("\n".join([one.title, *map(str, one.fits)]), fontsize=7.5, parse_math=False)
    panel.set_xlabel(f"k-NN accuracy on {one.in_}, %", fontsize=8, parse_math=False)
    panel.set_ylabel("AUROC, %", fontsize=8)
    panel.tick_params(labelsize=7)


def _short(backbone: str) -> str:
    """A name without its family, and without the folders of a module's file."""
    return backbone.rpartition("/")[2] if backbone.startswith("module:") else backbone.partition(":")[2] or backbone
