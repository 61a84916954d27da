"""The table of `oodkit fit --scorer auto`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oodkit.detector import Comparison


def print_comparison(comparison: "Comparison") -> None:
    """Print what was compared, the best first."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{comparison.groups} of {comparison.images:,} images, {comparison.folds} folds",
        caption=f"AUROC in per cent, with standard deviation over folds; {comparison.caution}",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("scorer")
    table.add_column("backbone")
    for heading in ("AUROC", "sd", "folds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in comparison.candidates:
        folds = " ".join(f"{100 * auroc:.1f}" for auroc in one.aurocs)
        table.add_row(one.scorer, one.backbone, f"{100 * one.mean:.2f}", f"{100 * one.spread:.2f}", folds)
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(width=max(console.width, 140), highlight=False, markup=False)
    console.print(table)
    if comparison.doubt is not None:
        console.print(f"doubt: {comparison.doubt}", soft_wrap=True)
    for name, reason in comparison.left_out.items():
        console.print(f"left out: {name}: {reason}", soft_wrap=True)
