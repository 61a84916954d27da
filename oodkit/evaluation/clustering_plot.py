"""A picture of clusters: their sizes, and test images of each drawn at random."""

import os
from typing import Any

import numpy as np

from oodkit.evaluation.clustering import ClusteringReport
from oodkit.evaluation.plot import IN_COLOUR, OUT_COLOUR, check_plot_path

MOST_CLUSTERS, IMAGES = 20, 8


def plot_clusters(report: ClusteringReport, path: str | os.PathLike[str], seed: int = 0) -> None:
    """Draw the sizes of all clusters, and a row of test images of each of some, into a PNG, PDF or SVG.

    The first run is shown. With more than 20 clusters, those in the picture are spread evenly over the order of size.

    Args:
        report: what `cluster` returned.
        path: where to write.
        seed: of the draw of images.

    Raises:
        InvalidInput: the file type is not known or the folder is not there.
    """
    target = check_plot_path(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run = report.runs[0]
    by_size = np.argsort(-np.array(run.test_sizes), kind="stable")
    filled = by_size[: int(np.count_nonzero(run.test_sizes))]
    shown = filled[np.unique(np.linspace(0, len(filled) - 1, min(MOST_CLUSTERS, len(filled))).round().astype(int))]
    figure = Figure(figsize=(9, 2.8 + 0.85 * len(shown)), layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.6, 0.85 * len(shown)])
    _draw_sizes(parts[0].subplots(), report, by_size)
    rng = np.random.default_rng(seed)
    grid = parts[1].subplots(len(shown), IMAGES, squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.05})
    for panels, cluster in zip(grid, shown, strict=True):
        members = np.flatnonzero(run.test_clusters == cluster)
        drawn = rng.permutation(members)[:IMAGES]
        for place, panel in enumerate(panels):
            panel.set_xticks([])
            panel.set_yticks([])
            panel.set_frame_on(False)
            if place < len(drawn):
                panel.imshow(report.test.open(int(drawn[place])), interpolation="nearest")
        panels[0].set_ylabel(
            _label(report, int(cluster), members), fontsize=7, rotation=0, ha="right", va="center", labelpad=4
        )
    figure.savefig(target, dpi=110)


def _draw_sizes(panel: Any, report: ClusteringReport, by_size: Any) -> None:
    run = report.runs[0]
    places = np.arange(report.clusters)
    panel.bar(places, np.array(run.test_sizes)[by_size], width=1, color=IN_COLOUR, label="test images")
    even = report.n_test / report.clusters
    panel.axhline(even, color=OUT_COLOUR, linewidth=1, linestyle="--", label=f"all clusters alike: {even:,.1f}")
    panel.set_xlim(-0.5, report.clusters - 0.5)
    panel.set_xlabel(f"{report.clusters} clusters by size, {run.used} of them with fit images", fontsize=8)
    panel.set_ylabel("test images", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7)
    accuracy = "" if run.figures is None else f", accuracy {100 * run.figures.accuracy:.1f} %"
    panel.set_title(f"{report.in_}, {report.backbone}, {report.method}{accuracy}", fontsize=9)


def _label(report: ClusteringReport, cluster: int, members: Any) -> str:
    images = report.test
    if images.labels is None:
        return f"cluster {cluster}\n{len(members):,} images"
    labels, counts = np.unique(np.asarray(images.labels)[members], return_counts=True)
    most = int(labels[counts.argmax()])
    name = str(most) if images.class_names is None else images.class_names[most]
    return f"cluster {cluster}: {len(members):,}\n{100 * counts.max() / len(members):.0f} % {name[:18]}"
