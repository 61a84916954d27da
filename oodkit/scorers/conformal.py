"""Conformal p-values: how many held-out rows of the same group have no higher score than a row."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

LEAST_MEMBERS = 20  # a group with fewer is compared with all held-out rows


@dataclass(frozen=True)
class Calibration:
    """Scores of held-out rows, group by group.

    Attributes:
        scores: (M,) or (2 M,) ascending within each group's stretch; where groups are small, all of them once more.
        starts, ends: (G,) int64, where the stretch of each group begins and ends.
    """

    scores: Tensor
    starts: Tensor
    ends: Tensor

    @classmethod
    def of(cls, scores: Tensor, groups: Tensor, count: int, least: int = LEAST_MEMBERS) -> Self:
        """Sort held-out scores.

        Args:
            scores: (M,) of held-out rows, higher is more in-distribution; M >= 1.
            groups: (M,) int64 in 0 .. count - 1.
            count: G, number of groups.
            least: a group with fewer held-out rows takes those of all groups.
        """
        ascending = scores.sort().values
        order = torch.argsort(scores, stable=True)
        order = order[torch.argsort(groups[order], stable=True)]
        sizes = torch.bincount(groups, minlength=count)
        ends = sizes.cumsum(0)
        starts = ends - sizes
        few = sizes < least
        if not bool(few.any()):
            return cls(scores[order], starts, ends)
        m = len(scores)
        return cls(torch.cat([scores[order], ascending]), starts.where(~few, m), ends.where(~few, 2 * m))

    def p_values(self, scores: Tensor, groups: Tensor) -> Tensor:
        """(1 + number of held-out rows of the group whose score is at most the row's) / (their number + 1).

        Of a row of the same distribution as the held-out rows it is uniform, nearly: at most a with probability a.

        Args:
            scores: (B,) of the dtype of the held-out ones.
            groups: (B,) int64 in 0 .. G - 1.

        Returns:
            (B,) float64 in (0, 1].
        """
        low, high = self.starts[groups], self.ends[groups]
        sizes, first = high - low, low
        last = len(self.scores) - 1
        for _ in range(int((self.ends - self.starts).max()).bit_length()):  # halve the range of each row at once
            middle = (low + high) // 2
            at_most = (self.scores[middle.clamp_max(last)] <= scores) & (low < high)
            low, high = torch.where(at_most, middle + 1, low), torch.where(at_most, high, middle)
        return (1 + low - first).double() / (sizes + 1)
