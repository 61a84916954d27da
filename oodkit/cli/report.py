"""`oodkit report`: what the benchmarks found, as a page, tables or data."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oodkit.cli.options import CacheOption, DataRootOption

if TYPE_CHECKING:
    from oodkit.bench.record import Record
    from oodkit.bench.results import Results
    from oodkit.bench.suite import OwnSet
    from oodkit.report import Report


def report(
    suite: Annotated[
        str | None, typer.Option("--suite", metavar="S", help="Report this suite alone. Default: all that ran.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results", metavar="DIR", help="Folder of results. Default: $OODKIT_RESULTS, else oodkit-results here."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="One page that needs no network.")] = None,
    md: Annotated[Path | None, typer.Option("--md", metavar="FILE", help="Tables in Markdown.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A line per record, as fractions.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", metavar="FILE", help="Tables for booktabs.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="As the CSV, with types.")] = None,
    correlation: Annotated[
        Path | None,
        typer.Option(
            "--correlation",
            metavar="FILE",
            help="Plot k-NN accuracy against AUROC of the nearest neighbour over backbones, and print R².",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="YAML", help="Where the suites stand. Default: those of oodkit."),
    ] = None,
    images: Annotated[
        bool,
        typer.Option(
            "--images/--no-images", help="Put small pictures of the most confidently wrong images in the page."
        ),
    ] = True,
    data_root: DataRootOption = None,
    cache: CacheOption = None,
) -> None:
    """Write what `oodkit bench` found; without a file, print Markdown.

    In tables the best of a column is bold, and what is not significantly worse is marked: by paired DeLong tests on
    the scores of each image, with Holm's rule. Data sets and embeddings are only read, for the pictures in the page.
    """
    from oodkit.atomic import write_atomically
    from oodkit.bench.ordering import in_suite_order
    from oodkit.bench.results import Results, default_results
    from oodkit.bench.suite_file import SuiteFile
    from oodkit.evaluation.plot import check_plot_path
    from oodkit.report import to_csv, to_html, to_latex, to_markdown, to_parquet

    targets = [path for path in (html, md, csv, latex, parquet, correlation) if path is not None]
    for path in targets:
        _check_target(path, targets)
    if correlation is not None:
        check_plot_path(correlation)
    suite_file = SuiteFile(file, data_root=data_root)
    with Results(results or default_results(), make=False) as stored:
        records = _records(stored, suite)
        names = {record.suite for record in records}
        suites = [suite_file.suite(name) for name in suite_file.names if name in names]
        records = in_suite_order(records, suites)
        to_write: list[tuple[Path | None, Callable[[], bytes]]] = [
            (csv, lambda: _encoded(to_csv(records))),
            (parquet, lambda: to_parquet(records)),
        ]
        if html is not None or md is not None or latex is not None or not targets:
            title = f"{suites[0].name}: {suites[0].title}" if len(names) == len(suites) == 1 else ""
            sets = suite_file.sets if html is not None and images else None
            made = _report(stored, records, title, sets, data_root, cache)
            to_write += [
                (html, lambda: _encoded(to_html(made))),
                (md, lambda: _encoded(to_markdown(made))),
                (latex, lambda: _encoded(to_latex(made))),
            ]
            for note in made.notes:
                print(f"note: {note}", file=sys.stderr)
            if not targets:
                typer.echo(to_markdown(made), nl=False)
        for target, make in to_write:
            if target is not None:
                data = make()
                write_atomically(target, data)
                print(f"{target} written, {len(data) / 1e6:,.2f} MB", file=sys.stderr)
    if correlation is not None:
        _correlate(records, correlation)


def _correlate(records: "list[Record]", target: Path) -> None:
    from oodkit.report import correlations, plot_correlations

    found = correlations(records)
    for one in found:
        typer.echo(one.title)
        for point in one.points:
            numbers = f"accuracy {100 * point.accuracy:.2f} %, AUROC {100 * point.auroc:.2f} %"
            typer.echo(f"  {point.backbone} ({point.group}): {numbers}")
        for fit in one.fits:
            typer.echo(f"  {fit}")
    plot_correlations(found, target)
    print(f"{target} written", file=sys.stderr)


def _report(
    stored: "Results",
    records: "list[Record]",
    title: str,
    sets: "Mapping[str, OwnSet] | None",
    data_root: Path | None,
    cache: str | None,
) -> "Report":
    """The report, with pictures where the sets of the suite file are given."""
    from oodkit.bench.sources import Sources
    from oodkit.bench.suite import Suite
    from oodkit.report import find_pictures, make_report, with_pictures

    made = make_report(records, stored.scores, title=title)
    if sets is None:
        return made
    sources = Sources(Suite("", "", "", (), (), (), sets=sets), data_root, download=False)
    bests = [best for pair in made.pairs if (best := made.best(pair)) is not None]
    return with_pictures(made, *find_pictures(bests, stored.scores, sources, cache))


def _records(stored: "Results", suite: str | None) -> "list[Record]":
    from oodkit.errors import UnknownName, nearest_names

    records = stored.records(suite)
    if records or suite is None:
        return records
    known = sorted({record.suite for record in stored.records()})
    near = nearest_names(suite, known) or known
    hint = f"there are results of {', '.join(near)}" if near else "nothing has run yet"
    raise UnknownName(f"no results of suite {suite!r} at {stored.folder}; {hint}: run `oodkit bench --suite {suite}`")


def _check_target(path: Path, targets: list[Path]) -> None:
    from oodkit.errors import InvalidInput

    if not path.absolute().parent.is_dir():
        raise InvalidInput(f"no folder {path.absolute().parent} for {path.name}; make it first")
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file for the report")
    if targets.count(path) > 1:
        raise InvalidInput(f"{path} was given for two formats; name a file for each")


def _encoded(text: str) -> bytes:
    """UTF-8; the odd bytes of a file name that is no valid text are spelled out."""
    return text.encode("utf-8", "backslashreplace")
