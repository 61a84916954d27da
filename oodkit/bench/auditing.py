"""Audits of a suite's pairs: made once per pair, whatever backbones, scorers and seeds it has."""

import os
import re

from oodkit.audit import Audit, audit_pair
from oodkit.bench.suite import Suite
from oodkit.data import FitAndTest, take
from oodkit.data.image_set import ImageSet
from oodkit.errors import OodkitError, StoreError

_RESOLUTION = re.compile(r"resolution(\d+)")


class Auditor:
    """Audits pairs with the halves and limits of the suite's first seed, so that each pair has one audit.

    Args:
        suite: for its limit, seeds and view.
        cache: folder of the embedding store, beside which audits are kept; None for the usual one.
    """

    def __init__(self, suite: Suite, cache: str | os.PathLike[str] | None) -> None:
        self._limit, self._seed, self._cache = suite.limit, suite.seeds[0], cache
        found = _RESOLUTION.fullmatch(suite.view)
        self._source_resolution = None if found is None else int(found[1])
        self._made: dict[tuple[str, str], Audit | str] = {}

    def audit(self, in_: str, halves: FitAndTest, out: str, images: ImageSet) -> Audit | str:
        """The audit of a pair, or why there is none, in one line.

        Args:
            in_: name of the in-set.
            halves: of the first seed.
            out: name of the out-set.
            images: of the out-set.

        Raises:
            StoreError: the store cannot be used.
        """
        if (in_, out) not in self._made:
            try:
                self._made[in_, out] = audit_pair(
                    self._limited(halves.test),
                    self._limited(images),
                    fit_images=self._limited(halves.fit),
                    source_resolution=self._source_resolution,
                    cache=self._cache,
                )
            except StoreError:
                raise
            except OodkitError as error:
                self._made[in_, out] = f"not audited: {error}"
        return self._made[in_, out]

    def _limited(self, images: ImageSet) -> ImageSet:
        return images if self._limit is None else take(images, self._limit, self._seed)
