"""`oodkit cluster`: clusters of a data set's train images, measured on its test images."""

import csv
import enum
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.options import (
    BackboneOption,
    CacheOption,
    CompileOption,
    DataRootOption,
    DeviceOption,
    ImageSizeOption,
    JsonOption,
    LimitOption,
    PrecisionName,
    PrecisionOption,
    SkipOption,
    complete_datasets,
)
from oodkit.cli.settings_words import setting_values
from oodkit.cli.target_files import check_target_files

if TYPE_CHECKING:
    from oodkit.evaluation.clustering import ClusteringReport


class MethodName(enum.StrEnum):
    """Ways to find clusters."""

    KMEANS = "kmeans"
    TEMI = "temi"


def cluster(
    in_: Annotated[
        str,
        typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="Data set: NAME[:SPLIT][@CLASSES]."),
    ],
    method: Annotated[MethodName, typer.Option("--method", help="How clusters are found.")] = MethodName.KMEANS,
    clusters: Annotated[
        int | None, typer.Option("--clusters", metavar="N", help="How many. Default: as many as classes.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="N", help="Clusterings, under seed, seed + 1, ...")] = 1,
    bound: Annotated[
        str | None,
        typer.Option(
            "--bound", metavar="N,N,...", help="Numbers of clusters to try for the largest that are nearly all used."
        ),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="K=V", help="A setting of the method, such as heads=8.")
    ] = None,
    backbone: BackboneOption = "efficientnet_lite0",
    image_size: ImageSizeOption = None,
    precision: PrecisionOption = PrecisionName.FP32,
    compile_: CompileOption = False,
    limit: LimitOption = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Of the first clustering, and for halving and drawing images.")
    ] = 0,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    skip_unreadable: SkipOption = False,
    as_json: JsonOption = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw cluster sizes and images of clusters.")
    ] = None,
    assignments: Annotated[
        Path | None, typer.Option("--assignments", metavar="FILE.csv", help="Write the cluster of each image.")
    ] = None,
) -> None:
    """Cluster a data set's train images, and compare the clusters of its test images with their classes.

    A set with one split is halved by the seed. Labels are for the figures alone.
    """
    from oodkit.evaluation.plot import check_plot_path

    if plot is not None:
        check_plot_path(plot)
    check_target_files({"--assignments": assignments})
    grid, params = _numbers(bound), setting_values(param or [], "heads=8")
    from oodkit.backbones import load_backbone
    from oodkit.evaluation.clustering import cluster as find_clusters
    from oodkit.evaluation.clustering_plot import plot_clusters

    loaded = load_backbone(backbone, image_size=image_size, device=device, precision=precision.value, compile=compile_)
    print(f"backbone {loaded.name}, {loaded.image_size} px, {loaded.numerics}, on {loaded.device}", file=sys.stderr)
    report = find_clusters(
        in_,
        clusters=clusters,
        method=method.value,
        runs=runs,
        grid=grid,
        params=params,
        backbone=loaded,
        limit=limit,
        seed=seed,
        data_root=data_root,
        cache=cache,
        skip_unreadable=skip_unreadable,
    )
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
    if plot is not None:
        plot_clusters(report, plot, seed)
        print(f"plot written to {plot}", file=sys.stderr)
    if assignments is not None:
        _write(report, assignments)
        print(f"clusters written to {assignments}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(report.to_dict()))
    else:
        _print(report)


def _numbers(text: str | None) -> list[int]:
    from oodkit.errors import InvalidInput

    try:
        return [int(word) for word in text.split(",")] if text else []
    except ValueError:
        raise InvalidInput(f"--bound must be numbers with commas between, such as 10,20,50, got {text!r}") from None


def _write(report: "ClusteringReport", path: Path) -> None:
    """A row per run and image: seed, part, image, cluster."""
    from oodkit.atomic import atomic_text

    with atomic_text(path, errors="backslashreplace") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("seed", "part", "image", "cluster"))
        for run in report.runs:
            for part, ids, clusters in (
                ("fit", report.fit_ids, run.fit_clusters),
                ("test", report.test.ids, run.test_clusters),
            ):
                rows.writerows((run.seed, part, image, cluster) for image, cluster in zip(ids, clusters, strict=True))


def _print(report: "ClusteringReport") -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(
            f"{report.in_} ({report.n_fit:,} fit, {report.n_test:,} test), {report.backbone}, "
            f"{report.settings['image_size']} px, {report.clusters} clusters by {report.method}"
        ),
        caption="per cent, of test images; clusters are matched one to one with classes; sizes: smallest, median and "
        "largest cluster of test images",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("seed")
    for heading in ("accuracy", "NMI", "AMI", "ARI", "silhouette", "used", "sizes", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in report.runs:
        sizes = sorted(run.test_sizes)
        spread = f"{sizes[0]:,} {sizes[len(sizes) // 2]:,} {sizes[-1]:,}"
        table.add_row(
            str(run.seed),
            *_cells(run.figures),
            _cell(run.quality.silhouette),
            str(run.used),
            spread,
            f"{run.seconds:.0f}",
        )
    if len(report.runs) > 1:
        table.add_row("mean", *_cells(report.mean()), "", "", "", "")
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 120))
    console.print(table)
    if report.curve:
        used = ", ".join(f"{clusters}: {100 * ratio:.1f} %" for clusters, ratio in report.curve.items())
        console.print(f"clusters that are used: {used}", highlight=False, soft_wrap=True)
        console.print(f"upper cluster bound: {report.bound or 'below all of these'}", highlight=False)


def _cells(figures: Any) -> list[str]:
    return ["-"] * 4 if figures is None else [_cell(value) for value in figures]


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
