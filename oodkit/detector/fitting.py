"""From train images to a fitted scorer, with a part of the images held out where that is asked for."""

import os
from dataclasses import dataclass

import numpy as np

from oodkit.backbones import Backbone
from oodkit.data.image_set import ImageSet
from oodkit.detector.holdout import split_by_content
from oodkit.embedding import Embeddings, embed
from oodkit.errors import InvalidInput
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.rows import Rows
from oodkit.evaluation.supply import Supply
from oodkit.scorers.base import Scorer


@dataclass(frozen=True, eq=False)
class Task:
    """All that a scorer is fitted with; it can be fitted again from it.

    Attributes:
        backbone: gives features.
        scorer: to be fitted.
        train: images, of which a part may be held out.
        extras: what the user gives besides.
        aux: images that are not in-distribution, or None.
        cache: folder of the embedding store, or None.
        skip_unreadable: leave out images that cannot be read.
    """

    backbone: Backbone
    scorer: Scorer
    train: ImageSet
    extras: Extras
    aux: ImageSet | None
    cache: str | os.PathLike[str] | None
    skip_unreadable: bool = False

    def run(self, hold_out: float | None, seed: int) -> "Fitted":
        """Fit the scorer.

        Args:
            hold_out: share of the distinct images that it does not see; None for none.
            seed: of their draw.

        Raises:
            OodkitError: the scorer lacks something, or cannot be fitted on these.
        """
        self._refuse_what_is_lacking()
        whole = embed(self.train, self.backbone, cache=self.cache, skip_unreadable=self.skip_unreadable)
        seen, held, train, notes = whole, None, self.train, []
        if whole.skipped:
            gone = set(whole.skipped)
            train = train.subset([place for place, name in enumerate(train.ids) if name not in gone])
            notes.append(f"{len(whole.skipped)} images could not be read and are left out")
        if hold_out is not None:
            assert whole.digests is not None
            kept, chosen = split_by_content(whole.digests, hold_out, seed)
            seen, held, train = whole[kept], whole[chosen], train.subset(kept)
            if copies := len(whole) - len(np.unique(whole.digests, axis=0)):
                notes.append(
                    f"{copies} of {len(whole)} images are copies of others: copies calibrate once or not at all"
                )
        supply = self._supply(train)
        supply.fit = seen
        self.scorer.fit(supply.rows(self.scorer, seen), **supply.needed(self.scorer, []))
        return Fitted(supply.rows_of(self.scorer), seen, held, train.fingerprint, tuple(notes))

    def _supply(self, train: ImageSet) -> Supply:
        return Supply(self.backbone, self.train.name, train, self.extras, self.cache, aux=self.aux)

    def _refuse_what_is_lacking(self) -> None:
        if (reason := self._supply(self.train).lacks(self.scorer, {})) is not None:
            given = "labels, head, class_names, captions, out_names and aux are arguments of fit"
            raise InvalidInput(f"{type(self.scorer).__name__} cannot be fitted here: {reason} ({given})")


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves besides the scorer.

    Attributes:
        rows: what takes features to what the scorer takes.
        seen: features of the images that it was fitted on.
        held_out: features of those that it was not, or None.
        fingerprint: of the images that it was fitted on.
        notes: what the user should know.
    """

    rows: Rows
    seen: Embeddings
    held_out: Embeddings | None
    fingerprint: str
    notes: tuple[str, ...]
