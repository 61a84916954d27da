"""Figures under attack as a table of text."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oodkit.robustness import Robustness


def print_robustness(found: Robustness) -> None:
    """Print a row per attack, radius and side on stdout, in per cent."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000)
    table = Table(
        title=escape(f"in: {found.in_} ({found.n_in:,}), out: {found.out} ({found.n_out:,}), {found.backbone}"),
        caption=f"{found.norm}; per cent; 95 % interval by DeLong; shift of attacked scores in sd of clean in-scores",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("attack", "eps", "attacked"):
        table.add_column(heading, no_wrap=True)
    for heading in ("AUROC", "95 % interval", "FPR95", "shift"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in found.results:
        low, high = result.auroc_ci
        table.add_row(
            escape(result.attack),
            f"{255 * result.eps:.3g}/255",
            result.side,
            f"{100 * result.auroc:.2f}",
            f"{100 * low:.2f} - {100 * high:.2f}",
            f"{100 * result.fpr95:.2f}",
            f"{result.shift:+.2f}",
        )
    console.print(table)
    console.print(escape(f"scorer {found.scorer}"), highlight=False, soft_wrap=True)
