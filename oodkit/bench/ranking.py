"""AUROCs of all scorers over the pairs that all of them have, for mean ranks."""

from collections.abc import Sequence

from oodkit.bench.labels import BackboneLabels, scorer_label
from oodkit.bench.means import means
from oodkit.bench.record import Record


def columns_of(records: Sequence[Record]) -> str:
    """What the columns of a rank table are."""
    labels = BackboneLabels(records)
    return "pairs and backbones" if len({labels.of(record) for record in records}) > 1 else "pairs"


def rank_table(records: Sequence[Record]) -> tuple[list[str], list[list[float]]]:
    """Names and a (methods, columns) table; a column is a pair with a backbone, its figures means over seeds.

    A scorer that was run with several parameters is several methods, and so is a backbone with several settings.

    Scorers that lack a figure which another has are left out; so are columns that no scorer has, and transductive
    figures, which are no property of a scorer alone.
    """
    figures: dict[str, dict[tuple[str, str, str], float]] = {}
    labels = BackboneLabels(records)
    for mean in means(records):
        sample = mean.sample
        if mean.auroc is not None and not sample.is_transductive:
            column = (sample.in_, sample.out, labels.of(sample))
            figures.setdefault(scorer_label(sample), {}).setdefault(column, mean.auroc)
    columns = list(dict.fromkeys(column for row in figures.values() for column in row))
    whole = [name for name, row in figures.items() if len(row) == len(columns)]
    return whole, [[figures[name][column] for column in columns] for name in whole]
