"""From a backbone's features to what a scorer takes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.heads import LinearHead
from oodkit.scorers.unit_rows import unit_rows

BLOCK_ROWS = 8192  # features that are taken at once


@dataclass(frozen=True)
class Rows:
    """Takes features (B, D) to a scorer's rows: as they are, in the joint image-text space, or as logits.

    Each row depends on its own feature alone, and gradients flow through.

    Attributes:
        project: into the joint space; None to stay with features.
        unit: whether rows are brought to length 1.
        head: whose logits the rows are; None for no logits.
    """

    project: Callable[[Tensor], Tensor] | None = None
    unit: bool = False
    head: LinearHead | None = None

    def __call__(self, features: Tensor) -> Tensor:
        """(B, D) float32 -> (B, D), (B, J) or (B, C)."""
        x = features if self.project is None else self.project(features).float()
        x = unit_rows(x) if self.unit else x
        if self.head is None:
            return x
        logits: Tensor = self.head.logits(x)
        return logits

    def of(self, features: NDArray[Any]) -> NDArray[Any]:
        """Rows of an array of features, float32; the array itself where nothing is to be done."""
        if self == Rows():
            return features
        blocks = [features[start : start + BLOCK_ROWS] for start in range(0, len(features), BLOCK_ROWS)]
        with torch.no_grad():
            rows = [self(torch.from_numpy(np.ascontiguousarray(block, dtype=np.float32))).cpu() for block in blocks]
        return torch.cat(rows).numpy()
