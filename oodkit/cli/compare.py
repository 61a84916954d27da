"""`oodkit compare`: two runs or two scorers, cell by cell, with paired tests."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.options import JsonOption

if TYPE_CHECKING:
    from oodkit.bench.comparing import Compared


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A folder of results, or a scorer's name.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    suite: Annotated[str | None, typer.Option("--suite", metavar="S", help="Only cells of this suite.")] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="DIR",
            help="Where scorers' results are. Default: $OODKIT_RESULTS, else oodkit-results.",
        ),
    ] = None,
    as_json: JsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the mean ranks of all scorers with a critical difference."),
    ] = None,
) -> None:
    """Compare AUROCs on the same images by paired DeLong tests, adjusted by Holm's rule over the table."""
    from oodkit.bench.comparing import compare as compare_results
    from oodkit.bench.results import default_results
    from oodkit.errors import InvalidInput

    folder = results or default_results()
    found = compare_results(a, b, folder, suite)
    for line in found.left_out:
        print(f"not compared: {line}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(_as_json(found)))
    else:
        _print(found)
    if not found.are_runs:
        _rank(folder, suite, plot, quiet=as_json)
    elif plot is not None:
        raise InvalidInput("ranks are those of scorers of one folder of results; leave --plot out for two folders")


def _print(found: "Compared") -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from oodkit.bench.labels import BackboneLabels, scorer_label
    from oodkit.cli.whole_table import whole_console

    several = len({scorer_label(cell.a) for cell in found.cells}) > 1
    labels = BackboneLabels(cell.a for cell in found.cells)
    table = Table(
        title=escape(f"A: {found.a}, B: {found.b}"),
        caption="AUROC in per cent; difference A - B with its 95 % interval; p by paired DeLong, adjusted by Holm over "
        "the table; detectable: the smallest difference these images would have shown with 80 % chance",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    headings = ("in", "out", "backbone", *(["scorer"] if several else []))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in ("seed", "A", "B", "A - B", "95 % interval", "p", "detectable", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in found.cells:
        d = cell.difference
        names = (cell.a.in_, cell.a.out, labels.of(cell.a), *([scorer_label(cell.a)] if several else []))
        table.add_row(
            *map(escape, names),
            str(cell.a.seed),
            f"{100 * d.auroc_a:.2f}",
            f"{100 * d.auroc_b:.2f}",
            f"{100 * d.difference:+.2f}",
            "" if math.isnan(d.low) else f"{100 * d.low:+.2f} - {100 * d.high:+.2f}",
            "" if math.isnan(cell.p_value) else f"{cell.p_value:.2g}",
            "" if math.isnan(cell.detectable) else f"{100 * cell.detectable:.2f}",
            ("A" if d.difference > 0 else "B") if cell.significant else "",
        )
    console = whole_console(table, names=len(headings))
    console.print(table)
    better, neither, worse = found.wins
    sets = {name for cell in found.cells for name in (cell.a.in_, cell.a.out)}
    console.print(
        f"A is better in {better}, B in {worse}, neither significantly in {neither} of {len(found.cells)} cells; they "
        f"share {len(sets)} sets, so they are not independent",
        highlight=False,
        soft_wrap=True,
    )


def _as_json(found: "Compared") -> dict[str, Any]:
    def number(value: float) -> float | None:
        return None if math.isnan(value) else value

    cells = [
        {
            "in": cell.a.in_,
            "out": cell.a.out,
            "backbone": cell.a.backbone,
            "image_size": cell.a.image_size,
            "precision": cell.a.precision,
            "head": cell.a.provenance.get("head_asked"),
            "view": cell.a.view,
            "scorers": [cell.a.scorer, cell.b.scorer],
            "params": [dict(cell.a.params), dict(cell.b.params)],
            "seed": cell.a.seed,
            "auroc": [cell.difference.auroc_a, cell.difference.auroc_b],
            "difference": cell.difference.difference,
            "interval": [number(cell.difference.low), number(cell.difference.high)],
            "p_value": number(cell.p_value),
            "detectable": number(cell.detectable),
            "significant": cell.significant,
        }
        for cell in found.cells
    ]
    return {"a": found.a, "b": found.b, "cells": cells, "left_out": list(found.left_out)}


def _rank(folder: Path, suite: str | None, plot: Path | None, quiet: bool) -> None:
    """Print mean ranks of all scorers over the pairs that all of them have; draw them where asked."""
    from oodkit.bench.ranking import columns_of, rank_table
    from oodkit.bench.results import Results
    from oodkit.errors import InvalidInput, TooFewSamples
    from oodkit.report.critical_difference import plot_critical_difference, rank_methods

    with Results(folder, make=False) as kept:
        records = kept.records(suite)
    try:
        ranking = replace(rank_methods(*rank_table(records)), over=columns_of(records))
    except TooFewSamples as error:
        if plot is not None:
            raise InvalidInput(f"no diagram of ranks can be drawn: {error}") from error
        return
    if not quiet:
        ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ranking.names, ranking.ranks, strict=True))
        print(
            f"mean ranks over {ranking.pairs} {ranking.over} (1 is best), critical difference "
            f"{ranking.critical_difference:.2f}: {ranks}"
        )
    if plot is not None:
        plot_critical_difference(ranking, plot)
        print(f"plot written to {plot}", file=sys.stderr)
