"""From train images to a fitted scorer, with a part of the images held out where that is asked for."""

import os
from dataclasses import dataclass, replace

import numpy as np

from oodkit.backbones import Backbone
from oodkit.data.image_set import ImageSet
from oodkit.detector.classes import check_clusters, placeholder, with_clusters
from oodkit.detector.holdout import split_by_content
from oodkit.embedding import Embeddings, embed
from oodkit.embedding.embeddings import Features
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput
from oodkit.evaluation.averaging import mean_of_views
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.rows import Rows
from oodkit.evaluation.supply import Supply
from oodkit.scorers.base import Need, Scorer


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
        clusters: number of k-means clusters that are the classes; None for the set's own.
        average: views whose features are averaged with those of each image that is fitted on.
    """

    backbone: Backbone
    scorer: Scorer
    train: ImageSet
    extras: Extras
    aux: ImageSet | None
    cache: str | os.PathLike[str] | None
    skip_unreadable: bool = False
    clusters: int | None = None
    average: tuple[str, ...] = ()

    def run(self, hold_out: float | None, seed: int) -> "Fitted":
        """Fit the scorer.

        Args:
            hold_out: share of the distinct images that it does not see; None for none.
            seed: of their draw, and of clusters.

        Raises:
            OodkitError: the scorer lacks something, or cannot be fitted on these.
        """
        if (reason := self.lacks()) is not None:
            given = "labels, clusters, head, class_names, captions, out_names and aux are arguments of fit"
            raise InvalidInput(f"{type(self.scorer).__name__} cannot be fitted here: {reason} ({given})")
        return self.fit(self.divide(hold_out, seed), seed)

    def lacks(self) -> str | None:
        """Why the scorer cannot be fitted on such images, as the rest of a sentence; None where it can."""
        train = self.train
        if self.clusters is not None:
            check_clusters(self.clusters, len(train))
            train = placeholder(train, self.clusters)
        return self._supply(train).lacks(self.scorer, {})

    def divide(self, hold_out: float | None, seed: int) -> "Divided":
        """The images that are fitted on, with their features, and features of those that are held out."""
        whole = embed(self.train, self.backbone, cache=self.cache, skip_unreadable=self.skip_unreadable)
        train, notes = self.train, []
        if whole.skipped:
            gone = set(whole.skipped)
            train = train.subset([place for place, name in enumerate(train.ids) if name not in gone])
            notes.append(f"{len(whole.skipped)} images could not be read and are left out")
        if hold_out is None:
            return Divided(train, whole, None, tuple(notes), self._means(train, whole))
        assert whole.digests is not None
        kept, chosen = split_by_content(whole.digests, hold_out, seed)
        if copies := len(whole) - len(np.unique(whole.digests, axis=0)):
            notes.append(f"{copies} of {len(whole)} images are copies of others: copies calibrate once or not at all")
        train, seen = train.subset(kept), whole[kept]
        return Divided(train, seen, whole[chosen], tuple(notes), self._means(train, seen))

    def fit(self, parts: "Divided", seed: int) -> "Fitted":
        """Fit the scorer on images with their features, of which clusters are made where these are asked for."""
        train, seen = parts.train, parts.seen
        if self.clusters is not None:
            check_clusters(self.clusters, len(seen))
            train, seen = with_clusters(train, seen, self.clusters, seed)
        supply = self._supply(train)
        supply.fit = replace(seen, features=parts.means)
        rows, needed = supply.rows(self.scorer, supply.fit), supply.needed(self.scorer, [])
        with training_checkpoints(self.cache):
            self.scorer.fit(rows, **needed)
        uses_labels = Need.LABELS in self.scorer.needs | self.scorer.optional or supply.head_made == "probe"
        classes, notes = None, parts.notes
        if seen.labels is not None and uses_labels:
            source = "of the images" if self.clusters is None else "k-means clusters of the features"
            classes = f"{len(np.unique(seen.labels))} {source}"
        if self.clusters is not None and not uses_labels:
            notes = (*notes, f"clusters are not used: {type(self.scorer).__name__} takes no classes")
        return Fitted(supply.rows_of(self.scorer), replace(parts, train=train, notes=notes), classes)

    def _means(self, train: ImageSet, seen: Embeddings) -> Features:
        views = [
            embed(train, self.backbone, view=name, cache=self.cache, skip_unreadable=self.skip_unreadable)
            for name in self.average
        ]
        return mean_of_views([seen, *views]).features

    def _supply(self, train: ImageSet) -> Supply:
        return Supply(self.backbone, self.train.name, train, self.extras, self.cache, aux=self.aux)


@dataclass(frozen=True, eq=False)
class Divided:
    """Train images in two parts.

    Attributes:
        train: those that are fitted on.
        seen: their features.
        held_out: features of the others, or None.
        notes: what the user should know.
        means: (N, D) what the scorer is fitted on: their features, or the means of these over views.
    """

    train: ImageSet
    seen: Embeddings
    held_out: Embeddings | None
    notes: tuple[str, ...]
    means: Features


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit leaves besides the scorer.

    Attributes:
        rows: what takes features to what the scorer takes.
        parts: what it was fitted on and what it was not.
        classes: how many classes were used and which, in a few words; None where none were.
    """

    rows: Rows
    parts: Divided
    classes: str | None
