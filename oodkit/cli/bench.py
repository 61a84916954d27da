"""`oodkit bench`: plan and run a suite of pairs, backbones and scorers."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.options import (
    CacheOption,
    DataRootOption,
    DeviceOption,
    JsonOption,
    SkipOption,
    complete_backbones,
    complete_scorers,
    complete_views,
)
from oodkit.cli.shard import parse_shard

if TYPE_CHECKING:
    from oodkit.bench.checking import Comparison
    from oodkit.bench.planning import Plan
    from oodkit.bench.running import Outcome

FAILED = 1

ResultsOption = Annotated[
    Path | None,
    typer.Option("--results", metavar="DIR", help="Folder of results. Default: $OODKIT_RESULTS, else oodkit-results."),
]


def complete_suites(incomplete: str) -> list[str]:
    """Names of the suites that come with oodkit."""
    from oodkit.bench.suite_file import SuiteFile

    return [name for name in SuiteFile().names if name.startswith(incomplete)]


def bench(
    suite: Annotated[
        str, typer.Option("--suite", metavar="S", autocompletion=complete_suites, help="Name of a suite of the file.")
    ] = "demo",
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="B",
            autocompletion=complete_backbones,
            help="In place of the suite's; may be repeated.",
        ),
    ] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            "--scorer",
            "-s",
            metavar="S",
            autocompletion=complete_scorers,
            help="In place of the suite's, or all; may be repeated.",
        ),
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", metavar="IN:OUT", help="Only this pair of the suite; may be repeated."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the suite's expected figures; exit with 1 on any miss.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="YAML", help="Suites of your own, in the form of benchmarks.yaml.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Run the I-th of N parts of the cells, from 1.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Run what is there, name what is not, and exit with 1.")
    ] = False,
    download: Annotated[bool, typer.Option("--download", help="Download data sets that are missing.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most N images of each set, drawn by the seed.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", metavar="N", min=1, help="In place of the suite's, in pixels.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            "--view",
            metavar="V",
            autocompletion=complete_views,
            help="In place of the suite's; resolution32 brings all images to one source resolution first.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    results: ResultsOption = None,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Look for what misleads in each pair; kept beside the store.")
    ] = True,
    skip_unreadable: SkipOption = False,
    as_json: JsonOption = False,
) -> int:
    """Run every combination of a suite's pairs, backbones and scorers.

    What is done is kept: started again, the command goes on where it stood. A cell that fails is a row with its error.
    Exit code 1: cells failed, sets were missing, or a checked figure was missed.
    """
    from oodkit.bench.auditing import Auditor
    from oodkit.bench.checking import check as compare_with_expected
    from oodkit.bench.options import Options
    from oodkit.bench.planning import make_plan
    from oodkit.bench.results import DATABASE, Results, default_results
    from oodkit.bench.running import run_plan
    from oodkit.bench.selection import select
    from oodkit.bench.suite_file import SuiteFile
    from oodkit.errors import DataNotFound

    options = Options(data_root, cache, device, download, skip_unreadable, parse_shard(shard))
    chosen = select(
        SuiteFile(file, data_root=data_root).suite(suite),
        backbones=backbone or (),
        scorers=scorer or (),
        pairs=pair or (),
        limit=limit,
        image_size=image_size,
        view=view,
    )
    folder = results or default_results()
    if dry_run and not (folder / DATABASE).is_file():
        plan = make_plan(chosen, options, None)
        _print_plan(plan)
        return _plan_only(plan, as_json)
    with Results(folder, make=not dry_run) as kept:
        plan = make_plan(chosen, options, kept)
        _print_plan(plan)
        if dry_run:
            return _plan_only(plan, as_json)
        if plan.missing and not skip_missing:
            raise DataNotFound(
                f"{len(plan.missing)} of the things that suite {suite} needs are not there: {', '.join(plan.missing)}; "
                "the plan above says where to get them (--download fetches what can be), or add --skip-missing"
            )
        if check:
            compare_with_expected(plan, ())  # refuses before anything runs where nothing is expected
        outcome = run_plan(plan, kept, Auditor(chosen, cache) if audit else None)
    compared = compare_with_expected(plan, outcome.records) if check else []
    if as_json:
        typer.echo(json.dumps(_as_json(plan, outcome, compared)))
    else:
        _print_outcome(plan, outcome, compared)
    for pair_ in plan.skipped:
        print(f"skipped, since a set is missing: {pair_}", file=sys.stderr)
    print(
        f"{len(outcome.records)} cells: {outcome.ran} run, {len(outcome.records) - outcome.ran} there already, "
        f"{len(outcome.failed)} failed; {outcome.embedded:,} images embedded; results in {folder}",
        file=sys.stderr,
    )
    if check and not any(row.counts for row in compared):
        print(
            "nothing could be compared: other parts run some seeds of every expected figure; run once more with "
            "--check and without --shard when all parts are done",
            file=sys.stderr,
        )
    bad = outcome.failed or plan.missing or any(row.missed for row in compared)
    return FAILED if bad else 0


def _print_plan(plan: "Plan") -> None:
    """The plan on stderr; one without any cell is an error, not a success."""
    from oodkit.errors import InvalidInput

    suite, counts = plan.suite, plan.counts
    pairs = f"{len(suite.pairs)} pair{'' if len(suite.pairs) == 1 else 's'}"
    lines = [
        f"suite {suite.name}: {suite.title}",
        *([suite.about] if suite.about else []),
        f"{len(plan.cells):,} cells ({pairs}), {plan.done:,} of them done; {counts.images:,} distinct "
        f"images; {counts.stored:,} embeddings stored, {counts.to_embed:,} to compute"
        + ("" if plan.seconds is None else f", about {_duration(plan.seconds)} as a short trial says"),
        *(f"left out: {line}" for line in plan.left_out),
        *(f"missing: {name}: {reason}" for name, reason in plan.missing.items()),
    ]
    print("\n".join(lines), file=sys.stderr)
    if not plan.cells and not plan.missing:
        more = f"all {len(plan.elsewhere)} cells are of other parts: take fewer" if plan.elsewhere else "see the plan"
        raise InvalidInput(f"nothing to run in suite {suite.name}: {more}")


def _plan_only(plan: "Plan", as_json: bool) -> int:
    if as_json:
        typer.echo(json.dumps(_plan_as_json(plan)))
    return FAILED if plan.missing else 0


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _plan_as_json(plan: "Plan") -> dict[str, Any]:
    return {
        "suite": plan.suite.name,
        "about": plan.suite.about,
        "cells": len(plan.cells),
        "done": plan.done,
        "images": plan.counts.images,
        "stored": plan.counts.stored,
        "to_embed": plan.counts.to_embed,
        "seconds": plan.seconds,
        "missing": dict(plan.missing),
        "skipped": [str(pair) for pair in plan.skipped],
        "left_out": list(plan.left_out),
    }


def _as_json(plan: "Plan", outcome: "Outcome", compared: "list[Comparison]") -> dict[str, Any]:
    return {
        "plan": _plan_as_json(plan),
        "records": [record.to_dict() for record in outcome.records],
        "check": [
            {
                **dict(zip(("in", "out", "backbone", "scorer"), row.name, strict=True)),
                "expected": row.expected,
                "tolerance": row.tolerance,
                **row.settings,
                "found": row.found,
                "holds": row.holds if row.counts else None,
                "reason": row.reason,
            }
            for row in compared
        ],
    }


def _print_outcome(plan: "Plan", outcome: "Outcome", compared: "list[Comparison]") -> None:
    from oodkit.cli.bench_table import print_check, print_group_means, print_means

    print_means(plan.suite, outcome.records)
    print_group_means(plan.suite, outcome.records)
    if compared:
        print_check(compared)
