"""What scorers need, made from a backbone, an in-set and what the user gives: heads, logits, texts, negatives."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oodkit.backbones import Backbone, Capability
from oodkit.data.image_set import ImageSet
from oodkit.data.words import Words, wordnet_words
from oodkit.embedding import Embeddings, embed_texts
from oodkit.errors import InvalidInput
from oodkit.heads import (
    PROMPT_ENSEMBLE,
    Ingredients,
    LinearHead,
    class_text_embeddings,
    heads,
    make_head,
    mine_negatives,
)
from oodkit.scorers.base import Need, Scorer
from oodkit.scorers.unit_rows import unit_rows

_JOINT = frozenset({Need.TEXT, Need.CAPTIONS, Need.NEGATIVES, Need.OUT_TEXT})
_LABELS = "use a folder per class, a list with labels, or another scorer"
_CHUNK_ROWS = 8192  # features that are projected at once
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Extras:
    """What a user may give besides sets.

    Attributes:
        head: registry name of a head; None for the first that is at hand of the backbone's own classifier (where it has
            as many classes as the in-set), a probe on the labels, the zero-shot head, and any classifier.
        prompts: for text heads and text scorers.
        class_names: in label order, in place of the data set's.
        captions: of in-distribution images, for `caption`.
        negatives: words to mine negatives from; None for those of WordNet.
        out_names: names of the OOD classes, for `in_out_names`; None for the out-set's own.
        logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
    """

    head: str | None = None
    prompts: Sequence[str] = PROMPT_ENSEMBLE
    class_names: Sequence[str] | None = None
    captions: Sequence[str] | None = None
    negatives: Words | None = None
    out_names: Sequence[str] | None = None
    logit_scale: bool = False


class Supply:
    """Gives each scorer the features it works on and what it needs besides them; all is made once, when asked for.

    What a scorer lacks can be asked before anything is embedded; `fit` must be set before the rest is asked for.

    Args:
        backbone: that the features are of.
        in_: name of the in-set, for messages.
        images: its train images.
        extras: what the user gives.
        cache: folder of the store, for texts.
    """

    fit: Embeddings  # of the train images

    def __init__(
        self,
        backbone: Backbone,
        in_: str,
        images: ImageSet,
        extras: Extras,
        cache: str | os.PathLike[str] | None,
    ) -> None:
        self.backbone, self.in_, self.images, self.extras, self.cache = backbone, in_, images, extras, cache
        self._joint: dict[int, tuple[Embeddings, Features]] = {}
        self._logits: dict[int, tuple[Embeddings, Features]] = {}
        if extras.head is not None:
            _ = heads[extras.head]
        names, found = extras.class_names, images.class_names
        if names is not None and found is not None and len(names) != len(found):
            raise InvalidInput(f"{len(names)} class names were given, but {in_} has {len(found)} classes")

    def lacks(self, model: Scorer, outs: Mapping[str, ImageSet]) -> str | None:
        """Why the scorer cannot be given what it needs, as the rest of a sentence; None where it can.

        Args:
            model: a scorer.
            outs: the out-sets by name.
        """
        needs = model.needs
        if Need.LABELS in needs and self.images.labels is None:
            return f"it needs class labels, and {self.in_} has none; {_LABELS}"
        if needs & {Need.HEAD, Need.LOGITS}:
            if (reason := self._lacks_for_head()) is not None:
                return f"it needs a head: {reason}"
            if Need.LABELS in needs and not self._head_has_classes_of_set:
                return f"it needs a head over the classes of {self.in_}; add --head probe"
        if needs & _JOINT and not self._has_text:
            return "it needs a backbone with an image-text space, such as one of open_clip"
        if needs & {Need.TEXT, Need.NEGATIVES} and self._class_names is None:
            return f"it needs class names, and {self.in_} has none; give --class-names FILE"
        if Need.CAPTIONS in needs and self.extras.captions is None:
            return "it needs captions of in-distribution images; give --captions FILE"
        if Need.OUT_TEXT in needs and self.extras.out_names is None:
            if len(outs) > 1:
                return "it needs the names of one out-set; give one at a time, or --out-names FILE"
            for name, out in outs.items():
                if out.class_names is None:
                    return f"it needs names of the OOD classes, and {name} has none; give --out-names FILE"
        if Need.VIEWS in needs:
            return "it needs features of shifted views, which are not embedded yet"
        return None

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
        if Need.HEAD in model.needs or (Need.HEAD in model.optional and self._has_head_over_features):
            given["head"] = self.head
        if Need.TEXT in wanted:
            given["text"] = self._text
        if Need.CAPTIONS in wanted:
            given["captions"] = self._embed_text(self.extras.captions or ())
        if Need.NEGATIVES in wanted:
            given["negatives"] = self._negatives
        if Need.OUT_TEXT in wanted:
            given["out_text"] = self._out_text(outs)
        return given

    def rows(self, model: Scorer, part: Embeddings) -> Any:
        """What the scorer takes of a set: its features, their projection into the joint space, or logits.

        Args:
            model: a scorer that lacks nothing.
            part: features of a set.
        """
        if model.needs & _JOINT:
            return self._projected(part)
        if Need.LOGITS in model.needs:
            return self._logits_of(part)
        if Need.HEAD in model.needs and self.head.unit_features:
            return unit_rows(torch.from_numpy(self._projected(part)))
        return part.features

    def notes(self, test: Embeddings) -> list[str]:
        """Lines about the head, if one was made, and how it does on the in-set's test images."""
        if self.head_made is None:
            return []
        lines = [f"head {self._head_name}: {note}" for note in self.head.notes]
        count = len(self.head.weight)
        if test.labels is None or not self._head_has_classes_of_set:
            return [*lines, f"head {self._head_name}: {count} classes, not those of {self.in_}"]
        right = float((self._logits_of(test).argmax(axis=1) == test.labels).mean())
        doubt = "; its classes seem to be in another order than the data set's" if right < 2 / count < 1 else ""
        return [*lines, f"head {self._head_name}: {count} classes, test accuracy {100 * right:.1f} %{doubt}"]

    @cached_property
    def head(self) -> LinearHead:
        """The head, made when first asked for."""
        name = self._head_name
        assert name is not None, "lacks() was not asked"
        over_joint = name in ("zero_shot", "pseudo_label_probe")
        given = Ingredients(
            features=self.fit.features,
            labels=self.fit.labels,
            class_names=self._class_names,
            classifier=self.backbone.classifier if name == "backbone" else None,
            joint=self._projected(self.fit) if over_joint else None,
            embed_text=self._embed_text if over_joint else None,
            prompts=self.extras.prompts,
            scale=self.backbone.logit_scale if self.extras.logit_scale and over_joint else None,
        )
        return make_head(name, given)

    @property
    def head_made(self) -> str | None:
        """Registry name of the head; None if none was needed."""
        return self._head_name if "head" in vars(self) else None

    def _lacks_for_head(self) -> str | None:
        name = self._head_name
        if name is None:
            return f"{self.backbone.name} has no classifier, and {self.in_} has no labels to train a probe on"
        if name == "backbone" and not self._has_classifier:
            return f"{self.backbone.name} has no classifier of its own; choose another --head"
        if name == "probe" and self.images.labels is None:
            return f"a probe is trained on class labels, and {self.in_} has none; {_LABELS}"
        if name in ("zero_shot", "pseudo_label_probe"):
            if not self._has_text:
                return f"{name} needs a backbone with an image-text space, such as one of open_clip"
            if self._class_names is None:
                return f"{name} needs class names, and {self.in_} has none; give --class-names FILE"
        return None

    @property
    def _head_name(self) -> str | None:
        return self.extras.head or self._automatic_head

    @cached_property
    def _automatic_head(self) -> str | None:
        if self._has_classifier and self._class_count == self.backbone.classifier.out_features:
            return "backbone"
        if self.images.labels is not None:
            return "probe"
        if self._class_names is not None and self._has_text:
            return "zero_shot"
        return "backbone" if self._has_classifier else None

    @property
    def _has_classifier(self) -> bool:
        return Capability.CLASSIFIER in self.backbone.capabilities

    @property
    def _has_text(self) -> bool:
        return {Capability.PROJECT, Capability.EMBED_TEXT} <= self.backbone.capabilities

    @property
    def _has_head_over_features(self) -> bool:
        return self._lacks_for_head() is None and not self.head.unit_features

    @property
    def _head_has_classes_of_set(self) -> bool:
        return self._head_name != "backbone" or len(self.head.weight) == self._class_count

    @property
    def _class_count(self) -> int | None:
        if self._class_names is not None:
            return len(self._class_names)
        return None if self.images.labels is None else int(self.images.labels.max()) + 1

    @property
    def _class_names(self) -> Sequence[str] | None:
        return self.images.class_names if self.extras.class_names is None else self.extras.class_names

    @cached_property
    def _text(self) -> torch.Tensor:
        assert self._class_names is not None
        return class_text_embeddings(self._embed_text, self._class_names, self.extras.prompts)

    @cached_property
    def _negatives(self) -> Features:
        words = (self.extras.negatives or wordnet_words()).without(self._class_names or ())
        embedded = class_text_embeddings(self._embed_text, words.words, self.extras.prompts[:1]).numpy()
        negatives: Features = embedded[mine_negatives(embedded, self._text, kinds=words.kinds)]
        return negatives

    def _out_text(self, outs: Iterable[Embeddings]) -> torch.Tensor:
        names = self.extras.out_names or next(iter(outs)).class_names
        assert names is not None, "lacks() was not asked"
        return class_text_embeddings(self._embed_text, names, self.extras.prompts)

    def _embed_text(self, texts: Sequence[str]) -> Features:
        return embed_texts(texts, self.backbone, cache=self.cache)

    def _projected(self, part: Embeddings) -> Features:
        if id(part) not in self._joint:
            self.backbone.load()
            blocks = [
                self.backbone.project(torch.from_numpy(np.ascontiguousarray(part.features[i : i + _CHUNK_ROWS])))
                for i in range(0, len(part), _CHUNK_ROWS)
            ]
            self._joint[id(part)] = (part, torch.cat(blocks).float().cpu().numpy())
        return self._joint[id(part)][1]

    def _logits_of(self, part: Embeddings) -> Features:
        if id(part) not in self._logits:
            rows = self._projected(part) if self.head.unit_features else part.features
            self._logits[id(part)] = (part, self.head.logits(rows))
        return self._logits[id(part)][1]
