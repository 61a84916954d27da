"""Which cells of a pair are the best, and which are not significantly worse."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isnan
from typing import Literal

from oodkit.bench.record import CellScores
from oodkit.metrics.holm import holm
from oodkit.metrics.paired_delong import paired_delong
from oodkit.report.cells import Cell

LEVEL = 0.05

Standing = Literal["best", "close", "worse", "none"]


@dataclass(frozen=True)
class Place:
    """Where a cell stands among those it is compared with.

    Attributes:
        standing: "best"; "close", not significantly worse than the best; "worse"; "none" without a figure.
        p_value: of the paired DeLong test against the best, by Holm's rule over all that are compared; None for the
            best itself, and where there are no scores of the same images and intervals were compared instead.
    """

    standing: Standing
    p_value: float | None = None


class Comparison:
    """Cells against the best of them, one at a time and the best first, so that few scores are held at once."""

    def __init__(self, best: Cell, scores: CellScores | None) -> None:
        self.best = best
        self._scores = scores
        self._images = None if scores is None else images_of(scores)
        self._raw: list[tuple[Cell, float | None]] = []

    def add(self, cell: Cell, scores: CellScores | None, images: bytes | None) -> None:
        """Compare another cell; `images` is `images_of(scores)`."""
        self._raw.append((cell, self._p_value(cell, scores, images)))

    def places(self) -> list[tuple[Cell, Place]]:
        """Every cell that was added, and where it stands."""
        tested = [p for cell, p in self._raw if p is not None and cell.value("auroc") != self.best.value("auroc")]
        adjusted = iter(holm(tested).tolist())
        places = []
        for cell, p in self._raw:
            if cell.value("auroc") == self.best.value("auroc"):
                places.append((cell, Place("best")))
            elif p is None:
                places.append((cell, Place("close" if _overlap(cell.interval, self.best.interval) else "worse")))
            else:
                value = next(adjusted)
                places.append((cell, Place("worse" if value <= LEVEL else "close", value)))
        return places

    def _p_value(self, cell: Cell, scores: CellScores | None, images: bytes | None) -> float | None:
        # Means over seeds have no paired test: their intervals are compared.
        several = len(cell.finished) > 1 or len(self.best.finished) > 1
        if several or scores is None or self._scores is None or images != self._images:
            return None
        best = self._scores
        value = paired_delong(best.in_scores, best.out_scores, scores.in_scores, scores.out_scores).p_value
        return None if isnan(value) else value


def images_of(scores: CellScores) -> bytes:
    """A hash of which images were scored, in which order."""
    whole = sha256()
    for ids in (scores.in_ids, scores.out_ids):
        whole.update(f"{len(ids)}\n".encode())
        whole.update("\0".join(ids.tolist()).encode("utf-8", "surrogatepass"))
    return whole.digest()


def best_of(cells: Sequence[Cell]) -> Cell | None:
    """The cell of the highest AUROC, the first of equals; None if all failed."""
    having = [cell for cell in cells if cell.value("auroc") is not None]
    return max(having, key=lambda cell: cell.value("auroc") or 0.0, default=None)


def _overlap(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    """Whether intervals share a point; an interval that is not known rules nothing out."""
    return one is None or other is None or (one[0] <= other[1] and other[0] <= one[1])
