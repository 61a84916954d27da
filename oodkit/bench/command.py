"""The command that runs a cell again."""

import shlex

from oodkit.bench.cell import Cell
from oodkit.bench.suite import Suite


def command_of(suite: Suite, cell: Cell) -> str:
    """What to type to run one cell of a suite.

    Head, precision and parameters are those of the suite, so its file is named where it is the user's. Where the suite
    has a backbone or scorer with several settings, all of them run.
    """
    words = ["oodkit", "bench"]
    if suite.file is not None:
        words += ["--file", suite.file]
    words += ["--suite", suite.name]
    words += ["--pair", str(cell.pair), "--backbone", cell.backbone.name, "--scorer", cell.scorer.name]
    if suite.limit is not None:
        words += ["--limit", str(suite.limit)]
    if suite.is_resized and cell.backbone.image_size is not None:
        words += ["--image-size", str(cell.backbone.image_size)]
    if suite.view != "identity":
        words += ["--view", suite.view]
    return shlex.join(words)
