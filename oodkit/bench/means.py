"""Records of one cell over seeds as one figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t

from oodkit.bench.record import Record


@dataclass(frozen=True)
class Mean:
    """One scorer on one pair with one backbone, over seeds.

    Attributes:
        records: one per seed.
        auroc: mean AUROC, a fraction; None where all failed.
        interval: 95 %: DeLong's with one seed, Student's over seeds with several; None where there is none.
        fpr95_in: mean.
        kind: "images" where the interval is of the draw of images, "seeds" where it is of seeds of the fit, and the
            draw of images is not in it.
    """

    records: tuple[Record, ...]
    auroc: float | None
    interval: tuple[float, float] | None
    fpr95_in: float | None
    kind: str

    @property
    def sample(self) -> Record:
        """The first record that did not fail, else the first."""
        return next((record for record in self.records if record.error is None), self.records[0])


def means(records: Sequence[Record]) -> list[Mean]:
    """One mean for all records that differ in their seed alone, in the order in which they first turn up."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        params = {name: value for name, value in record.params.items() if name != "seed"}
        settings = (
            record.view,
            str(record.image_size),
            record.precision,
            str(record.head),
            str(record.provenance.get("head_asked")),
            str(record.provenance.get("limit")),
        )
        name = (record.suite, record.in_, record.out, record.backbone, record.scorer, repr(sorted(params.items())))
        groups.setdefault((*name, *settings), []).append(record)
    return [_mean(tuple(group)) for group in groups.values()]


def _mean(records: tuple[Record, ...]) -> Mean:
    sound = [record for record in records if record.auroc is not None]
    if not sound:
        return Mean(records, None, None, None, "images")
    areas = [record.auroc for record in sound if record.auroc is not None]
    fprs = [record.fpr95_in for record in sound if record.fpr95_in is not None]
    if len(areas) == 1:
        return Mean(records, areas[0], sound[0].auroc_ci, fmean(fprs), "images")
    half = float(t.ppf(0.975, len(areas) - 1)) * stdev(areas) / sqrt(len(areas))
    middle = fmean(areas)
    return Mean(records, middle, (max(middle - half, 0.0), min(middle + half, 1.0)), fmean(fprs), "seeds")
