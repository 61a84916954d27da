"""The image of a fit set that is nearest to another one, by features that the store holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.bench.record import Record
from oodkit.data import ImageSet
from oodkit.embedding.shard import Space
from oodkit.embedding.store import MissingFeatures, Store

BLOCK_ROWS = 8192


class NearestFit:
    """Looks for neighbours by cosine similarity in the features that a record was made with; embeds nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._digests: dict[tuple[str, int, int | None], list[bytes | None]] = {}

    def find(
        self, record: Record, fit: ImageSet, images: Sequence[tuple[ImageSet, int]]
    ) -> list[tuple[int, float] | None]:
        """For each image its nearest one in `fit` and the cosine; None where features are missing.

        Args:
            record: says which backbone, precision and view.
            fit: what was fitted.
            images: a set and the place in it, each.
        """
        nothing: list[tuple[int, float] | None] = [None] * len(images)
        fingerprint = record.provenance.get("backbone_fingerprint")
        if not images or not isinstance(fingerprint, str):
            return nothing
        space = Space(fingerprint, record.precision, record.view)
        bank_digests = self._digests_of(fit, record)
        query_digests = [bytes.fromhex(source.digest(place)) for source, place in images]
        bank = np.flatnonzero(self._store.has(space, bank_digests))
        asked = np.flatnonzero(self._store.has(space, query_digests))
        if not len(bank) or not len(asked):
            return nothing
        try:
            features = self._store.gather(space, [digest for i in bank if (digest := bank_digests[i]) is not None])
            queries = self._store.gather(space, [query_digests[i] for i in asked])
        except MissingFeatures:
            return nothing
        found = nothing
        for i, place, cosine in zip(asked, *_nearest(features, queries), strict=True):
            found[int(i)] = (int(bank[place]), float(cosine))
        return found

    def _digests_of(self, fit: ImageSet, record: Record) -> list[bytes | None]:
        """Digests of a fit set; it is the same one for all records of an in-set, seed and limit."""
        key = (record.in_, record.seed, record.provenance.get("limit"))
        if key not in self._digests:
            digests = self._store.remembered([fit.stamp(place) for place in range(len(fit))])
            for place, digest in enumerate(digests):
                if digest is None:
                    digests[place] = bytes.fromhex(fit.digest(place))
            self._digests[key] = digests
        return self._digests[key]


def _nearest(bank: NDArray[Any], queries: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(Q,) place of the row of largest cosine, and that cosine."""
    unit = _unit(queries)
    best = np.full(len(unit), -np.inf)
    place = np.zeros(len(unit), dtype=np.int64)
    for start in range(0, len(bank), BLOCK_ROWS):
        cosines = unit @ _unit(bank[start : start + BLOCK_ROWS]).T
        top = cosines.argmax(axis=1)
        value = cosines[np.arange(len(unit)), top]
        better = value > best
        best[better], place[better] = value[better], start + top[better]
    return place, best


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    result: NDArray[np.float64] = wide / np.where(lengths > 0, lengths, 1.0)
    return result
