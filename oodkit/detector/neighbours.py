"""The images a detector was fitted on, kept to show which of them another image resembles."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oodkit.embedding import Embeddings
from oodkit.errors import InvalidInput
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows

BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Neighbour:
    """An in-distribution image that resembles another one.

    Attributes:
        id: of the image in the set that was fitted on.
        cosine: of the two images' features.
    """

    id: str
    cosine: float


@dataclass(frozen=True, eq=False)
class FitImages:
    """Ids and directions of the features of the fit images.

    Attributes:
        ids: (N,).
        rows: (N, D) float16 of length 1: a cosine needs no more digits, and a folder half the space.
        digests: (N, 32) uint8, SHA-256 of each image's content, or None.
    """

    ids: Sequence[str]
    rows: NDArray[np.float16]
    digests: NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, images: Embeddings) -> "FitImages":
        """Those of embedded images."""
        features = images.features
        rows = np.empty(features.shape, dtype=np.float16)
        for start in range(0, len(features), BLOCK_ROWS):
            rows[start : start + BLOCK_ROWS] = _unit(features[start : start + BLOCK_ROWS]).numpy()
        return cls(images.ids, rows, images.digests)

    def nearest(self, features: NDArray[Any], k: int) -> list[tuple[Neighbour, ...]]:
        """The k fit images of largest cosine for each row of features (B, D), nearest first; all if there are fewer.

        Raises:
            InvalidInput: `k` is below 1.
        """
        if k < 1:
            raise InvalidInput(f"k must be at least 1 neighbour, got {k}")
        cosines, places = self._bank.nearest(_unit(features), min(k, len(self.ids)))
        return [
            tuple(Neighbour(self.ids[place], round(cosine, 6)) for cosine, place in zip(*row, strict=True))
            for row in zip(cosines.tolist(), places.tolist(), strict=True)
        ]

    def contents(self, ids: Collection[str], root: str) -> Iterator[tuple[str, bytes]]:
        """Ids and contents of those of the named images whose files are there and have the content they had.

        Args:
            ids: of images.
            root: folder that they are relative to.
        """
        if self.digests is None:
            return
        for place, name in enumerate(self.ids):
            if name in ids:
                try:
                    content = Path(root, name).read_bytes()
                except (OSError, ValueError):
                    continue
                if hashlib.sha256(content).digest() == self.digests[place].tobytes():
                    yield name, content

    @cached_property
    def _bank(self) -> Bank:
        return Bank.of(torch.from_numpy(self.rows))


def _unit(features: NDArray[Any]) -> torch.Tensor:
    return unit_rows(torch.from_numpy(np.array(features, dtype=np.float32)))
