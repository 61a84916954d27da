"""Rankings of a report's methods: one per backbone, over the pairs that all of them have."""

from dataclasses import dataclass

from oodkit.errors import TooFewSamples
from oodkit.report.critical_difference import Ranking, rank_methods
from oodkit.report.report import Report


@dataclass(frozen=True)
class BackboneRanking:
    """Methods on one backbone.

    Attributes:
        backbone: its name.
        ranking: of the methods that have a figure on each pair.
        left_out: methods that lack a figure on a pair.
    """

    backbone: str
    ranking: Ranking
    left_out: tuple[str, ...]


def rank_backbones(report: Report) -> list[BackboneRanking]:
    """A ranking for each backbone with at least two methods and two pairs; pairs without any figure do not count.

    Transductive figures are no method's own and are not ranked.
    """
    found = []
    entries = [entry for entry in report.entries if not entry.cell.first.is_transductive]
    for backbone in report.backbones:
        values = {
            (entry.cell.label, entry.cell.pair): value
            for entry in entries
            if entry.cell.backbone == backbone and (value := entry.cell.value("auroc")) is not None
        }
        ran = dict.fromkeys(entry.cell.label for entry in entries if entry.cell.backbone == backbone)
        pairs = dict.fromkeys(pair for _, pair in values)
        whole = [label for label in ran if all((label, pair) in values for pair in pairs)]
        try:
            ranking = rank_methods(whole, [[values[label, pair] for pair in pairs] for label in whole])
        except TooFewSamples:
            continue
        except ValueError:  # no method has all pairs
            continue
        found.append(BackboneRanking(backbone, ranking, tuple(label for label in ran if label not in whole)))
    return found
