"""Results as a table of text."""

from inspect import signature
from itertools import groupby

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oodkit.evaluation import Evaluation, Result
from oodkit.scorers import scorers


def print_evaluation(evaluation: Evaluation) -> None:
    """Print one row per out-set and scorer on stdout, in per cent, then what the scorers say about their fits."""
    sample = evaluation.results[0]
    settings = evaluation.settings
    stepped = "" if settings.get("perturb") is None else f", perturbed by {settings['perturb']}"
    side = settings.get("source_resolution")
    shrunk = "" if side is None else f", shrunk to {side} px first"
    table = Table(
        title=escape(
            f"in: {evaluation.in_} ({sample.n_fit:,} fit, {sample.n_in:,} test), {evaluation.backbone}, "
            f"{settings['image_size']} px, {settings['precision']}{shrunk}{stepped}"
        ),
        caption="per cent; 95 % interval by DeLong; FPR95 with in-images as positives",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("out", no_wrap=True)
    table.add_column("n out", justify="right")
    table.add_column("scorer", no_wrap=True)
    for heading in ("AUROC", "95 % interval", "FPR95", "AUPR in", "AUPR out"):
        table.add_column(heading, justify="right", no_wrap=True)
    for out, group in groupby(evaluation.results, key=lambda result: result.out):
        for place, result in enumerate(group):
            table.add_row(*(("", "") if place else (escape(out), f"{result.n_out:,}")), *_cells(result))
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 140))
    console.print(table)
    for note in dict.fromkeys(f"{result.scorer}: {note}" for result in evaluation.results for note in result.notes):
        console.print(escape(note), highlight=False, soft_wrap=True)


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
    shown = ", ".join(f"{name}={value}" for name, value in changed.items())
    return escape(f"{result.scorer} ({shown})" if shown else result.scorer)
