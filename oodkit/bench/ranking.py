"""AUROCs of all scorers over the pairs that all of them have, for mean ranks."""

from collections.abc import Sequence

from oodkit.bench.means import means
from oodkit.bench.record import Record


def rank_table(records: Sequence[Record]) -> tuple[list[str], list[list[float]]]:
    """Names and a (methods, columns) table; a column is a pair with a backbone, its figures means over seeds.

    Scorers that lack a figure which another has are left out; so are columns that no scorer has, and transductive
    figures, which are no property of a scorer alone.
    """
    figures: dict[str, dict[tuple[str, str, str], float]] = {}
    for mean in means(records):
        sample = mean.sample
        if mean.auroc is not None and not sample.is_transductive:
            column = (sample.in_, sample.out, f"{sample.backbone} {sample.image_size}")
            figures.setdefault(sample.scorer, {}).setdefault(column, mean.auroc)
    columns = list(dict.fromkeys(column for row in figures.values() for column in row))
    whole = [name for name, row in figures.items() if len(row) == len(columns)]
    return whole, [[figures[name][column] for column in columns] for name in whole]
