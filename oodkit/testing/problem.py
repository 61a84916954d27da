"""A small, easy out-of-distribution problem with everything that any scorer can need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.scorers.base import Need

WIDTH, CLASSES, PER_CLASS, HELD_OUT = 6, 3, 16, 24
QUARTER_TURNS = ("rotate90", "rotate180", "rotate270")
SHIFTED = ("rotate", "patches", "pixels")  # how names begin of views that change what an image shows
PER_CLASS_FOR_TAILS = 100  # what learns the tail of a class from its logits needs rows that make one


@dataclass(frozen=True)
class Problem:
    """Data to fit and to score.

    Attributes:
        features: (N, D) float32 in-distribution rows to fit on.
        labels: (N,) int64 classes of these rows.
        inside: (M, D) float32 rows of the same distribution, not among `features`.
        outside: (M, D) float32 rows that any scorer should find less in-distribution.
        needed: further arguments of `fit` by name.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    inside: NDArray[np.float32]
    outside: NDArray[np.float32]
    needed: Mapping[str, Any] = field(default_factory=dict)


def make_problem(
    needs: frozenset[Need] = frozenset(), seed: int = 0, views: Sequence[str] = (), aux_views: Sequence[str] = ()
) -> Problem:
    """Three clusters on one side of the origin, and noise far away on the other side.

    With LOGITS among the needs, rows are confident logits and the noise is flat ones. With HEAD, the noise has flat
    logits under the head.

    Args:
        needs: what the scorer needs; decides what `needed` holds.
        seed: of the random draw; the clusters themselves are always the same.
        views: names of the views that the scorer takes: rotations and permutations lead away from the clusters, all
            others stay near their rows. None given stands for the three rotations.
        aux_views: names of the views of auxiliary rows; the rows themselves lie with the noise.
    """
    rng = np.random.default_rng(seed)
    if Need.LOGITS in needs:
        centres, elsewhere = 8 * np.eye(CLASSES), np.zeros(CLASSES)
    else:
        centres, elsewhere = 4 * np.eye(CLASSES, WIDTH) + 1, np.linspace(-12.0, -2.0, WIDTH)
    if Need.HEAD in needs:
        elsewhere[:CLASSES] = elsewhere[:CLASSES].mean()  # the classifier has no reason to be sure there
    width = centres.shape[1]
    spread = np.linspace(0.4, 0.8, width)

    def around(points: NDArray[np.float64]) -> NDArray[np.float32]:
        return (points + spread * rng.standard_normal(points.shape)).astype(np.float32)

    per_class = PER_CLASS_FOR_TAILS if needs >= {Need.LOGITS, Need.LABELS} else PER_CLASS
    labels = rng.permutation(np.repeat(np.arange(CLASSES), per_class))
    features = around(centres[labels])
    # of their own draws, so that they change nothing for scorers that do without
    drawn = np.random.default_rng([seed, 1])
    auxiliary = (elsewhere + spread * drawn.standard_normal((HELD_OUT, width))).astype(np.float32)

    def seen_through(name: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        is_shifted = name.startswith(SHIFTED)
        near = (0.0 if name == "identity" else 0.2) * drawn.standard_normal(rows.shape)
        return ((np.roll(rows, CLASSES, axis=1) if is_shifted else rows) + near).astype(np.float32)

    needed = {
        Need.HEAD: (centres - centres.mean(axis=0), np.zeros(CLASSES)),
        Need.TEXT: centres,
        Need.OUT_TEXT: elsewhere[None, :],
        Need.CAPTIONS: centres[labels],
        Need.NEGATIVES: around(np.tile(elsewhere, (5, 1))),
        Need.VIEWS: np.stack([seen_through(name, features) for name in views or QUARTER_TURNS]),
        Need.AUX: np.stack([seen_through(name, auxiliary) for name in ("identity", *aux_views)]),
    }
    return Problem(
        features=features,
        labels=labels,
        inside=around(centres[np.arange(HELD_OUT) % CLASSES]),
        outside=around(np.tile(elsewhere, (HELD_OUT, 1))),
        needed={need.value: value for need, value in needed.items() if need in needs},
    )
