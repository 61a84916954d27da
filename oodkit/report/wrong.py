"""Which images of a pair are most confidently on the wrong side."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oodkit.bench.record import CellScores

BEYOND = 0.05  # a smaller share of the other side beaten is what any threshold in use allows


@dataclass(frozen=True)
class WrongImage:
    """An image and the share of the other side's images that it scores beyond, ties one half."""

    side: Literal["in", "out"]
    id: str
    share: float


def most_wrong(scores: CellScores, count: int) -> list[WrongImage]:
    """Up to `count` out-images that score highest and in-images that score lowest, the most confident first.

    Left out are those that score beyond 5 % or less of the other side: an out-image that is rejected where 95 %
    of in-images are accepted is not wrong.
    """
    found = []
    for side, ids, own, other in (
        ("out", scores.out_ids, scores.out_scores, scores.in_scores),
        ("in", scores.in_ids, -scores.in_scores, -scores.out_scores),
    ):
        order = np.argsort(-own, kind="stable")[:count]
        for place, share in zip(order, _share_below(own[order], other), strict=True):
            if share > BEYOND:
                found.append(WrongImage("out" if side == "out" else "in", str(ids[place]), float(share)))
    return found


def _share_below(values: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(other)
    below, up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    shares: NDArray[np.float64] = (below + up_to) / (2 * len(ordered))
    return shares
