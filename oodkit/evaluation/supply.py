"""What scorers need, made from a backbone, an in-set and what the user gives: heads, logits, texts, views."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings, embed
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.head_supply import HOW_TO_LABEL, HeadSupply, uses_text
from oodkit.evaluation.rows import Rows
from oodkit.evaluation.text_supply import JOINT, TextSupply
from oodkit.evaluation.view_supply import EmbedView, ViewSupply
from oodkit.heads import PROMPT_ENSEMBLE, LinearHead
from oodkit.scorers.base import Need, Scorer


class Supply:
    """Gives each scorer the features it works on and what it needs besides them; all is made once, when asked for.

    What a scorer lacks can be asked before anything is embedded; `fit` must be set before the rest is asked for.

    Args:
        backbone: that the features are of.
        in_: name of the in-set, for messages.
        images: its train images.
        extras: what the user gives.
        cache: folder of the store, for texts.
        embed_view: embeds a set through a view; None for plainly through the backbone.
        aux: images that are not in-distribution, for scorers that learn from such; None for none.

    Attributes:
        seen: views of the train images and of the auxiliary ones.
    """

    fit: Embeddings  # of the train images

    def __init__(
        self,
        backbone: Backbone,
        in_: str,
        images: ImageSet,
        extras: Extras,
        cache: str | os.PathLike[str] | None,
        *,
        embed_view: EmbedView | None = None,
        aux: ImageSet | None = None,
    ) -> None:
        self.backbone, self.in_, self.images, self.extras = backbone, in_, images, extras
        self._texts = TextSupply(backbone, in_, images, extras, cache)
        self._heads = HeadSupply(backbone, in_, images, extras, self._texts)
        plainly: EmbedView = lambda images, view: embed(images, backbone, view=view, cache=cache)  # noqa: E731
        self.seen = ViewSupply(embed_view or plainly, images, aux)
        self._made: dict[tuple[Rows, int], tuple[Embeddings, NDArray[Any]]] = {}

    def lacks(self, model: Scorer, outs: Mapping[str, ImageSet]) -> str | None:
        """Why the scorer cannot be given what it needs, as the rest of a sentence; None where it can.

        Args:
            model: a scorer.
            outs: the out-sets by name.

        Raises:
            UnknownName: it takes a view that does not exist.
        """
        needs = model.needs
        if Need.LABELS in needs and self.images.labels is None:
            return f"it needs class labels, and {self.in_} has none; {HOW_TO_LABEL}"
        if needs & {Need.HEAD, Need.LOGITS}:
            if (reason := self._heads.lacks()) is not None:
                return f"it needs a head: {reason}"
            if Need.LABELS in needs and not self._heads.has_classes_of_set:
                return f"it needs a head over the classes of {self.in_}; add --head probe"
        if needs & JOINT and not self._texts.has_space:
            return "it needs a backbone with an image-text space, such as one of open_clip"
        if needs & JOINT and Need.HEAD in needs and not self._heads.is_over_joint_space:
            return "it needs texts and a head over the same space; add --head zero_shot"
        return self._texts.lacks(needs, outs) or self.seen.lacks(model)

    def needed(self, model: Scorer, outs: Iterable[Embeddings]) -> dict[str, Any]:
        """The arguments of `fit` besides features.

        Args:
            model: a scorer that lacks nothing.
            outs: the out-sets, for a scorer that uses the names of their classes.
        """
        wanted = model.needs | model.optional
        given: dict[str, Any] = {}
        if Need.LABELS in wanted and self.fit.labels is not None:
            given["labels"] = self.fit.labels
        could_use = Need.HEAD in model.optional and not model.needs & JOINT
        if Need.HEAD in model.needs or (could_use and self._has_head_over_features):
            given["head"] = self.head
        if Need.VIEWS in wanted and model.view_names():
            views = self.seen.views(model, self.fit)
            given["views"] = np.stack([self.rows_of(model).of(part.features) for part in views])
        if Need.AUX in wanted and self.seen.has_aux:
            aux = self.seen.aux(model)
            given["aux"] = np.stack([self.rows_of(model).of(part.features) for part in aux])
        # Texts go with features of the joint space, which only scorers that need texts are given.
        return {**given, **self._texts.needed(model.needs, outs)}

    def rows_of(self, model: Scorer) -> Rows:
        """What takes features of any image to what the scorer takes of them.

        Args:
            model: a scorer that lacks nothing.
        """
        if Need.LOGITS in model.needs:
            return self._logits
        unit = Need.HEAD in model.needs and self.head.unit_features
        return Rows(self.backbone.project if unit or model.needs & JOINT else None, unit=unit)

    def rows(self, model: Scorer, part: Embeddings) -> NDArray[Any]:
        """What the scorer takes of a set: its features, their projection into the joint space, or logits.

        Args:
            model: a scorer that lacks nothing.
            part: features of a set.
        """
        return self._rows(self.rows_of(model), part)

    def doubts(self, model: Scorer) -> list[str]:
        """What to say of a scorer that should be fitted on images that the head has not seen, where it was not."""
        seen = {"backbone": "may have been trained on", "probe": "was trained on"}
        seen["pseudo_label_probe"] = seen["probe"]
        if not model.wants_held_out or self.head_made not in seen:
            return []
        return [
            f"fitted on logits of images that the head {seen[self.head_made]}, which are more confident than others"
        ]

    def unused(self, models: Iterable[Scorer]) -> list[str]:
        """A line for each thing that the user gave and none of the scorers takes."""
        wanted = frozenset[Need]().union(*(model.needs | model.optional for model in models))
        given = self.extras
        head = bool(wanted & {Need.HEAD, Need.LOGITS})
        text = bool(wanted & {Need.TEXT, Need.NEGATIVES}) or (head and self._heads.uses_text)
        useless = {
            "a head": given.head is not None and not head,
            "captions": given.captions is not None and Need.CAPTIONS not in wanted,
            "negative words": given.negatives is not None and Need.NEGATIVES not in wanted,
            "names of OOD classes": given.out_names is not None and Need.OUT_TEXT not in wanted,
            "prompts": tuple(given.prompts) != PROMPT_ENSEMBLE and not (text or Need.OUT_TEXT in wanted),
            "the logit scale": given.logit_scale and not (head and self._heads.name == "zero_shot"),
            "an auxiliary set": self.seen.has_aux and Need.AUX not in wanted,
        }
        return [f"{thing} will not be used: no scorer that runs takes it" for thing, is_so in useless.items() if is_so]

    def settings(self) -> dict[str, Any]:
        """What was used besides sets, for the record: head, prompts and logit scale where texts were, views."""
        texts = self._texts.were_used or uses_text(self.head_made)
        scaled = self.extras.logit_scale and self.head_made == "zero_shot"
        return {
            "head": self.head_made,
            "prompts": list(self.extras.prompts) if texts else None,
            "logit_scale": self.backbone.logit_scale if scaled else None,
            "views": self.seen.names,
        }

    def notes(self, test: Embeddings) -> list[str]:
        """Lines about captions and the head, where they were used, and how it does on the in-set's test images."""
        lines = self._texts.notes
        if self.head_made is None:
            return lines
        head, count = f"head {self._heads.name}", len(self.head.weight)
        lines += [f"{head}: {note}" for note in self.head.notes]
        if not self._heads.has_classes_of_set:
            return [*lines, f"{head}: {count} classes, not those of {self.in_}"]
        if test.labels is None:
            return [*lines, f"{head}: {count} classes"]
        right = float((self._rows(self._logits, test).argmax(axis=1) == test.labels).mean())
        doubt = "; its classes seem to be in another order than the data set's"
        found = f"{head}: {count} classes, test accuracy {100 * right:.1f} %"
        return [*lines, found + (doubt if self._heads.doubtful_order and right < 2 / count < 1 else "")]

    @cached_property
    def head(self) -> LinearHead:
        """The head, made when first asked for."""
        return self._heads.make(self.fit, lambda: self._rows(Rows(self.backbone.project), self.fit))

    @property
    def head_made(self) -> str | None:
        """Registry name of the head; None if none was needed."""
        return self._heads.name if "head" in vars(self) else None

    @property
    def _logits(self) -> Rows:
        return Rows(self.backbone.project if self.head.unit_features else None, head=self.head)

    @property
    def _has_head_over_features(self) -> bool:
        return self._heads.lacks() is None and not self.head.unit_features

    def _rows(self, rows: Rows, part: Embeddings) -> NDArray[Any]:
        if (rows, id(part)) not in self._made:
            self._made[rows, id(part)] = (part, rows.of(part.features))
        return self._made[rows, id(part)][1]
