"""Score histograms and ROC curves of an evaluation: a row per out-set, a histogram per scorer, the ROC curves."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from oodkit.errors import InvalidInput
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.metrics import roc_curve

IN_COLOUR, OUT_COLOUR = "#0072b2", "#d55e00"  # of Okabe and Ito's palette, told apart by colour-blind readers
FORMATS = (".png", ".pdf", ".svg")


def check_plot_path(path: str | os.PathLike[str]) -> Path:
    """The path, if a plot can be written there; raises InvalidInput before any work is done."""
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise InvalidInput(f"cannot plot to {target.name!r}; end the file name in {', '.join(FORMATS)}")
    if not target.absolute().parent.is_dir():
        raise InvalidInput(f"no folder {target.absolute().parent} for the plot; make it first")
    if target.is_dir():
        raise InvalidInput(f"{target} is a folder; name a file for the plot")
    return target


def plot_evaluation(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Draw histograms of the in- and out-scores and ROC curves into a PNG, PDF or SVG.

    Args:
        evaluation: as `evaluate` returned it, with its scores.
        path: where to write.

    Raises:
        InvalidInput: the file type is not known or the folder is not there.
    """
    target = check_plot_path(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    outs = list(dict.fromkeys(result.out for result in evaluation.results))
    names = list(dict.fromkeys(result.scorer for result in evaluation.results))
    figure = Figure(figsize=(3.1 * (len(names) + 1), 2.7 * len(outs) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(outs), len(names) + 1, squeeze=False)
    for row, out in zip(axes, outs, strict=True):
        results = {result.scorer: result for result in evaluation.results if result.out == out}
        for panel, name in zip(row, names, strict=False):
            _draw_histogram(panel, evaluation, results[name])
        _draw_roc(row[-1], evaluation, list(results.values()))
    figure.suptitle(f"in: {evaluation.in_}, {evaluation.backbone}, {evaluation.settings['image_size']} px")
    figure.savefig(target, dpi=110)


def _draw_histogram(panel: Any, evaluation: Evaluation, result: Result) -> None:
    scores = evaluation.scores[result.scorer]
    in_scores, out_scores = scores[evaluation.in_], scores[result.out]
    # The central 99 % of both sets: a few far outliers would squeeze the rest into one bin.
    low = min(np.quantile(part, 0.005) for part in (in_scores, out_scores))
    high = max(np.quantile(part, 0.995) for part in (in_scores, out_scores))
    edges = np.linspace(low, high if high > low else low + 1, 51)
    for part, name, colour in ((in_scores, evaluation.in_, IN_COLOUR), (out_scores, result.out, OUT_COLOUR)):
        panel.hist(part, edges, density=True, alpha=0.55, color=colour, label=f"{name} ({len(part):,})")
    panel.set_title(f"{result.scorer}: AUROC {100 * result.auroc:.2f} %", fontsize=9)
    panel.set_xlabel("score (higher = more in-distribution)", fontsize=8)
    panel.set_ylim(0, 1.35 * panel.get_ylim()[1])  # room for the legend
    panel.set_yticks([])
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="upper left")


def _draw_roc(panel: Any, evaluation: Evaluation, results: list[Result]) -> None:
    for result in results:
        scores = evaluation.scores[result.scorer]
        fpr, tpr = roc_curve(scores[evaluation.in_], scores[result.out])
        panel.plot(fpr, tpr, linewidth=1.4, label=f"{result.scorer} {100 * result.auroc:.2f} %")
    panel.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":")
    panel.set_title(f"ROC, out: {results[0].out}", fontsize=9)
    panel.set_xlabel("out-images accepted", fontsize=8)
    panel.set_ylabel("in-images accepted", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.set_aspect("equal")
    panel.legend(fontsize=7, loc="lower right")
