"""Tables whose numbers are never cut."""

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_LEAST = 12  # columns that a folded name keeps
_ENOUGH = 10_000


def whole_console(table: Table | None = None, names: int = 0) -> Console:
    """A console that is wide enough for a table; only its first columns may be folded.

    Args:
        table: to be printed; None for text alone.
        names: number of columns that hold names.
    """
    console = Console()
    if not console.is_terminal:
        return Console(width=_ENOUGH)
    if table is None:
        return console
    widest = console.measure(table, options=console.options.update(max_width=_ENOUGH)).maximum
    folded = sum(
        max(0, max(cell_len(str(cell)) for cell in (column.header, *column.cells)) - _LEAST)
        for column in table.columns[:names]
    )
    return Console(width=max(console.width, widest - folded))
