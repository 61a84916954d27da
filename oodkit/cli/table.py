"""Results as a table of text."""

from inspect import signature
from itertools import groupby

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oodkit.evaluation import Evaluation, Result
from oodkit.scorers import scorers

_NARROW = ("AUROC", "95 % interval", "FPR95")
_WIDE = (*_NARROW, "AUPR in", "AUPR out")


def print_evaluation(evaluation: Evaluation) -> None:
    """Print one row per out-set and scorer on stdout, in per cent, then what the scorers say about their fits.

    Numbers are never cut: a terminal that is too narrow for all columns gets fewer of them.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000)
    table = _table(evaluation, _WIDE)
    if console.measure(table, options=console.options.update(max_width=10_000)).maximum > console.width:
        table = _table(evaluation, _NARROW)
    console.print(table)
    for note in dict.fromkeys(f"{result.scorer}: {note}" for result in evaluation.results for note in result.notes):
        console.print(escape(note), highlight=False, soft_wrap=True)
    for line, group in _doubts(evaluation).items():
        console.print(escape(f"doubt: {line} ({', '.join(group)})"), highlight=False, soft_wrap=True)


def _doubts(evaluation: Evaluation) -> dict[str, list[str]]:
    """Each doubt, and the rows that it is about."""
    found: dict[str, list[str]] = {}
    for result in evaluation.results:
        for line in result.doubts:
            found.setdefault(line, []).append(f"{result.out} {result.scorer}")
    return found


def _table(evaluation: Evaluation, headings: tuple[str, ...]) -> Table:
    sample = evaluation.results[0]
    settings = evaluation.settings
    stepped = "" if settings.get("perturb") is None else f", perturbed by {settings['perturb']}"
    side = settings.get("source_resolution")
    shrunk = "" if side is None else f", shrunk to {side} px first"
    mean = settings.get("average_views")
    fit_only = " of fit images" if settings.get("average_fit_only") else ""
    averaged = f", mean over {len(mean) + 1} views{fit_only}" if mean else ""
    more = "" if headings == _WIDE else "; AUPR in a wider terminal or with --json"
    table = Table(
        title=escape(
            f"in: {evaluation.in_} ({sample.n_fit:,} fit, {sample.n_in:,} test), {evaluation.backbone}, "
            f"{settings['image_size']} px, {settings['precision']}{shrunk}{stepped}{averaged}"
        ),
        caption=f"per cent; 95 % interval by DeLong; FPR95 with in-images as positives{more}",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("out", overflow="fold")
    table.add_column("n out", justify="right", no_wrap=True)
    table.add_column("scorer", overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for out, group in groupby(evaluation.results, key=lambda result: result.out):
        for place, result in enumerate(group):
            label = ("", "") if place else (escape(out), f"{result.n_out:,}")
            table.add_row(*label, *_cells(result)[: len(headings) + 1])
    return table


def _cells(result: Result) -> tuple[str, ...]:
    low, high = result.auroc_ci
    return (
        _labelled(result),
        f"{100 * result.auroc:.2f}",
        f"{100 * low:.2f} - {100 * high:.2f}",
        f"{100 * result.fpr95_in:.2f}",
        f"{100 * result.aupr_in:.2f}",
        f"{100 * result.aupr_out:.2f}",
    )


def _labelled(result: Result) -> str:
    """The scorer, and those of its parameters that are not the defaults."""
    defaults = {name: p.default for name, p in signature(scorers.load(result.scorer)).parameters.items()}
    changed = {name: value for name, value in result.params.items() if value != defaults.get(name)}
    changed.pop("detector", None)  # which the name of a scorer of another package says already
    shown = ", ".join(f"{name}={value}" for name, value in changed.items())
    return escape(f"{result.scorer} ({shown})" if shown else result.scorer)
