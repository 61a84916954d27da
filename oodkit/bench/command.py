"""The command that runs a cell again."""

import shlex

from oodkit.bench.cell import Cell
from oodkit.bench.suite import Suite


def command_of(suite: Suite, cell: Cell) -> str:
    """What to type to run one cell of a suite."""
    words = ["oodkit", "bench", "--suite", suite.name]
    words += ["--pair", str(cell.pair), "--backbone", cell.backbone.name, "--scorer", cell.scorer.name]
    if suite.limit is not None:
        words += ["--limit", str(suite.limit)]
    if cell.backbone.image_size is not None:
        words += ["--image-size", str(cell.backbone.image_size)]
    if suite.view != "identity":
        words += ["--view", suite.view]
    return shlex.join(words)
