"""A progress bar with rate and time left, on stderr, shown on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Tells the bar that `count` more units are done."""

    def __call__(self, count: int = 1) -> None:
        """Move the bar on."""


@contextmanager
def progress(label: str, total: int | None, unit: str = "images") -> Iterator[Advance]:
    """Show a bar while the block runs; yields a function to call with the number of finished units.

    Args:
        label: what is being done, in a few words.
        total: number of units, or None when it is not known.
        unit: plural noun shown in the rate; "bytes" shows binary sizes.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _count_unseen
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} {unit}/s" if task.speed else f"- {unit}/s")

    is_bytes = unit == "bytes"
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if is_bytes else MofNCompleteColumn(),
        TransferSpeedColumn() if is_bytes else RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console, speed_estimate_period=60) as bar:
        task = bar.add_task(label, total=total)

        def advance(count: int = 1) -> None:
            bar.advance(task, count)

        yield advance


def _count_unseen(count: int = 1) -> None:
    """Nobody watches."""
