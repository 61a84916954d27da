"""Verdicts on files, one after the other, in memory that does not grow with their number."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone
from oodkit.data.image_list import ImageList
from oodkit.data.kind import Kind, image_kind
from oodkit.detector.calibration import Calibration
from oodkit.detector.kinds import Differences
from oodkit.detector.neighbours import FitImages, Neighbour
from oodkit.embedding.extraction import Extraction, default_batch_size
from oodkit.views import load_view

FILES_AT_ONCE = 1024


@dataclass(frozen=True)
class Verdict:
    """What a detector says of one file.

    Attributes:
        path: of the file.
        score: higher is more in-distribution; None where the file cannot be read.
        p_value: how unusual the score is among in-distribution images, in (0, 1]; or None.
        ood: whether the score is below the threshold; or None.
        neighbours: the fit images that it resembles most, nearest first.
        error: why it cannot be read; None where it can.
    """

    path: str
    score: float | None = None
    p_value: float | None = None
    ood: bool | None = None
    neighbours: tuple[Neighbour, ...] = ()
    error: str | None = None


def judge(
    files: Iterable[str | os.PathLike[str]],
    backbone: Backbone,
    score: Callable[[NDArray[Any]], NDArray[np.float64]],
    calibration: Calibration,
    bank: FitImages | None,
    k: int,
    differences: Differences | None = None,
) -> Generator[Verdict, None, None]:
    """Verdicts in the order of the files.

    Args:
        files: any number of paths.
        backbone: gives features.
        score: gives scores of features.
        calibration: gives p-values and the threshold.
        bank: the fit images, or None to name no neighbours.
        k: how many neighbours to name.
        differences: is told the kind of each image that can be read.
    """
    waiting = iter(files)
    while chunk := list(islice(waiting, FILES_AT_ONCE)):
        yield from _judge(chunk, backbone, score, calibration, bank, k, differences)


def _judge(
    files: Sequence[str | os.PathLike[str]],
    backbone: Backbone,
    score: Callable[[NDArray[Any]], NDArray[np.float64]],
    calibration: Calibration,
    bank: FitImages | None,
    k: int,
    differences: Differences | None,
) -> Generator[Verdict, None, None]:
    images = ImageList(files) if differences is None else _Watched(files)
    size = default_batch_size(backbone)
    nothing_known: list[bytes | None] = [None] * len(files)
    extraction = Extraction(images, nothing_known, _is_never_stored, backbone, load_view("identity"), size)
    for batch in extraction.run(range(start, min(start + size, len(files))) for start in range(0, len(files), size)):
        judged: dict[int, Verdict] = {}
        if batch.features is not None:
            paths = [images.ids[position] for position in batch.pending]
            found = verdicts(paths, batch.features, score, calibration, bank, k)
            judged = dict(zip(batch.pending, found, strict=True))
        for position in batch.positions:
            if position in batch.failures:
                yield Verdict(images.ids[position], error=str(batch.failures[position]))
            else:
                if isinstance(images, _Watched) and differences is not None:
                    differences.add(images.kinds[position])
                yield judged[position]


class _Watched(ImageList):
    """Files that leave their kinds behind as they are read."""

    def __init__(self, files: Sequence[str | os.PathLike[str]]) -> None:
        super().__init__(files)
        self.kinds: dict[int, Kind] = {}

    def read(self, index: int) -> bytes:
        data = super().read(index)
        if (kind := image_kind(data)) is not None:
            self.kinds[index] = kind
        return data


def verdicts(
    paths: Sequence[str],
    features: NDArray[Any],
    score: Callable[[NDArray[Any]], NDArray[np.float64]],
    calibration: Calibration,
    bank: FitImages | None,
    k: int,
) -> list[Verdict]:
    """Verdicts on images whose features (B, D) are known; the arguments as in `judge`."""
    scores = score(features)
    p_values, flagged = calibration.p_values(scores), scores < calibration.threshold
    near: Sequence[tuple[Neighbour, ...]] = [()] * len(paths) if bank is None else bank.nearest(features, k)
    rows = zip(paths, scores.tolist(), p_values.tolist(), flagged.tolist(), near, strict=True)
    return [Verdict(*row) for row in rows]


def _is_never_stored(digests: Sequence[bytes]) -> NDArray[np.bool_]:
    return np.zeros(len(digests), dtype=bool)
