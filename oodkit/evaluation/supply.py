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
from oodkit.evaluation.rows import Rows
from oodkit.heads import (
    PROMPT_ENSEMBLE,
    Ingredients,
    LinearHead,
    as_linear_head,
    class_text_embeddings,
    heads,
    make_head,
    mine_negatives,
)
from oodkit.heads.prompts import clean_name, fill_prompts
from oodkit.scorers.base import Need, Scorer

_JOINT = frozenset({Need.TEXT, Need.CAPTIONS, Need.NEGATIVES, Need.OUT_TEXT})
_LABELS = "use a folder per class, a list with labels, or another scorer"
GIVEN = "given"  # what a head is called that the user made
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Extras:
    """What a user may give besides sets.

    Attributes:
        head: registry name of a head, or a head: a `LinearHead`, (weight, bias) or an `nn.Linear`, over features; None
            for the first that is at hand of the backbone's own classifier (where it has as many classes as the in-set),
            a probe on the labels, the zero-shot head, and any classifier.
        prompts: for text heads and text scorers.
        class_names: in label order, in place of the data set's.
        captions: of in-distribution images, for `caption`.
        negatives: words to mine negatives from; None for those of WordNet.
        out_names: names of the OOD classes, for `in_out_names`; None for the out-set's own.
        logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
        clean_names: whether underscores in class names become spaces; published results keep them.
    """

    head: Any = None
    prompts: Sequence[str] = PROMPT_ENSEMBLE
    class_names: Sequence[str] | None = None
    captions: Sequence[str] | None = None
    negatives: Words | None = None
    out_names: Sequence[str] | None = None
    logit_scale: bool = False
    clean_names: bool = False


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
        self._made: dict[tuple[Rows, int], tuple[Embeddings, NDArray[Any]]] = {}
        self._given_head = None
        if isinstance(extras.head, str):
            _ = heads[extras.head]
        elif extras.head is not None:
            self._given_head = as_linear_head(extras.head)
        fill_prompts(["name"], extras.prompts)
        count = _class_count(images)
        if extras.class_names is not None and count not in (None, len(extras.class_names)):
            raise InvalidInput(f"{len(extras.class_names)} class names were given, but {in_} has {count} classes")

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
        if needs & _JOINT and Need.HEAD in needs and not self._head_is_over_joint_space:
            return "it needs texts and a head over the same space; add --head zero_shot"
        if needs & {Need.TEXT, Need.NEGATIVES} and (reason := self._lacks_for_names()) is not None:
            return f"it needs class names: {reason}"
        if Need.NEGATIVES in needs and self.extras.negatives is not None and not len(self._candidates):
            return "it needs negative words, and all that were given are class names; give others"
        if Need.CAPTIONS in needs and not self.extras.captions:
            return "it needs captions of in-distribution images; give --captions FILE"
        if Need.OUT_TEXT in needs:
            return self._lacks_for_out_names(outs)
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
        could_use = Need.HEAD in model.optional and not model.needs & _JOINT
        if Need.HEAD in model.needs or (could_use and self._has_head_over_features):
            given["head"] = self.head
        # Texts go with features of the joint space, which only scorers that need texts are given.
        if Need.TEXT in model.needs:
            given["text"] = self._text
        if Need.CAPTIONS in model.needs:
            given["captions"] = self._embed_text(self.extras.captions or ())
        if Need.NEGATIVES in model.needs:
            given["negatives"] = self._negatives
        if Need.OUT_TEXT in model.needs:
            given["out_text"] = self._out_text(outs)
        return given

    def rows_of(self, model: Scorer) -> Rows:
        """What takes features of any image to what the scorer takes of them.

        Args:
            model: a scorer that lacks nothing.
        """
        if Need.LOGITS in model.needs:
            return Rows(self.backbone.project if self.head.unit_features else None, head=self.head)
        unit = Need.HEAD in model.needs and self.head.unit_features
        return Rows(self.backbone.project if unit or model.needs & _JOINT else None, unit=unit)

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
        text = bool(wanted & {Need.TEXT, Need.NEGATIVES}) or (head and _uses_text(self._head_name))
        useless = {
            "a head": given.head is not None and not head,
            "captions": given.captions is not None and Need.CAPTIONS not in wanted,
            "negative words": given.negatives is not None and Need.NEGATIVES not in wanted,
            "names of OOD classes": given.out_names is not None and Need.OUT_TEXT not in wanted,
            "prompts": tuple(given.prompts) != PROMPT_ENSEMBLE and not (text or Need.OUT_TEXT in wanted),
            "the logit scale": given.logit_scale and not (head and self._head_name == "zero_shot"),
        }
        return [f"{thing} will not be used: no scorer that runs takes it" for thing, is_so in useless.items() if is_so]

    def settings(self) -> dict[str, Any]:
        """What was used besides sets, for the record: the head, and prompts and the logit scale where texts were."""
        texts = "_text" in vars(self) or _uses_text(self.head_made)
        scaled = self.extras.logit_scale and self.head_made == "zero_shot"
        return {
            "head": self.head_made,
            "prompts": list(self.extras.prompts) if texts else None,
            "logit_scale": self.backbone.logit_scale if scaled else None,
        }

    def notes(self, test: Embeddings) -> list[str]:
        """Lines about the head, if one was made, and how it does on the in-set's test images."""
        if self.head_made is None:
            return []
        head, count = f"head {self._head_name}", len(self.head.weight)
        lines = [f"{head}: {note}" for note in self.head.notes]
        if not self._head_has_classes_of_set:
            return [*lines, f"{head}: {count} classes, not those of {self.in_}"]
        if test.labels is None:
            return [*lines, f"{head}: {count} classes"]
        logits = Rows(self.backbone.project if self.head.unit_features else None, head=self.head)
        right = float((self._rows(logits, test).argmax(axis=1) == test.labels).mean())
        named_by_user = self._head_name != "probe" and (
            self._head_name in ("backbone", GIVEN) or self.extras.class_names
        )
        doubt = "; its classes seem to be in another order than the data set's"
        found = f"{head}: {count} classes, test accuracy {100 * right:.1f} %"
        return [*lines, found + (doubt if named_by_user and right < 2 / count < 1 else "")]

    @cached_property
    def head(self) -> LinearHead:
        """The head, made when first asked for."""
        if self._given_head is not None:
            return self._given_head
        name = self._head_name
        assert name is not None, "lacks() was not asked"
        over_joint = _uses_text(name)
        given = Ingredients(
            features=self.fit.features,
            labels=self.fit.labels,
            class_names=self._class_names,
            classifier=self.backbone.classifier if name == "backbone" else None,
            joint=self._rows(Rows(self.backbone.project), self.fit) if over_joint else None,
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
        if name in ("probe", "pseudo_label_probe") and self._count == 1:
            return f"a probe needs at least 2 classes, and {self.in_} has 1; choose another --head"
        if not _uses_text(name):
            return None
        if not self._has_text:
            return f"{name} needs a backbone with an image-text space, such as one of open_clip"
        if (reason := self._lacks_for_names()) is not None:
            return f"{name} needs class names: {reason}"
        if self.extras.logit_scale and self.backbone.logit_scale is None:
            return f"{self.backbone.name} has no logit scale; leave --logit-scale out"
        return None

    def _lacks_for_names(self) -> str | None:
        if self._class_names is None:
            return f"{self.in_} has none; give --class-names FILE"
        return _refusal(self._class_names, self.extras.prompts)

    def _lacks_for_out_names(self, outs: Mapping[str, ImageSet]) -> str | None:
        if self.extras.out_names is not None:
            reason = _refusal(self.extras.out_names, self.extras.prompts)
            return None if reason is None else f"it needs names of the OOD classes: {reason}"
        if not outs:
            return "it needs names of the OOD classes; give --out-names FILE"
        if len(outs) > 1:
            return "it needs the names of one out-set; give one at a time, or --out-names FILE"
        for name, out in outs.items():
            if out.class_names is None:
                return f"it needs names of the OOD classes, and {name} has none; give --out-names FILE"
        return None

    @property
    def _head_name(self) -> str | None:
        if self._given_head is not None:
            return GIVEN
        return self.extras.head or self._automatic_head

    @cached_property
    def _automatic_head(self) -> str | None:
        if self._has_classifier and self._count == self.backbone.classifier.out_features:
            return "backbone"
        if self.images.labels is not None and self._count != 1:
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
    def _head_is_over_joint_space(self) -> bool:
        return self._head_name == "zero_shot" if self._given_head is None else self._given_head.unit_features

    @property
    def _head_has_classes_of_set(self) -> bool:
        if self._given_head is not None:
            return len(self._given_head.weight) == self._count
        return self._head_name != "backbone" or self.backbone.classifier.out_features == self._count

    @property
    def _count(self) -> int | None:
        return _class_count(self.images) if self.extras.class_names is None else len(self.extras.class_names)

    @property
    def _class_names(self) -> Sequence[str] | None:
        return self._as_texts(self.images.class_names if self.extras.class_names is None else self.extras.class_names)

    @cached_property
    def _text(self) -> torch.Tensor:
        assert self._class_names is not None
        return class_text_embeddings(self._embed_text, self._class_names, self.extras.prompts)

    @cached_property
    def _candidates(self) -> Words:
        words = wordnet_words() if self.extras.negatives is None else self.extras.negatives
        return words.without(self._class_names or ())

    @cached_property
    def _negatives(self) -> Features:
        words = self._candidates
        embedded = class_text_embeddings(self._embed_text, words.words, self.extras.prompts[:1]).numpy()
        negatives: Features = embedded[mine_negatives(embedded, self._text, kinds=words.kinds)]
        return negatives

    def _out_text(self, outs: Iterable[Embeddings]) -> torch.Tensor:
        found = next(iter(outs)).class_names if self.extras.out_names is None else self.extras.out_names
        names = self._as_texts(found)
        assert names is not None, "lacks() was not asked"
        return class_text_embeddings(self._embed_text, names, self.extras.prompts)

    def _as_texts(self, names: Sequence[str] | None) -> Sequence[str] | None:
        return [clean_name(name) for name in names] if names is not None and self.extras.clean_names else names

    def _embed_text(self, texts: Sequence[str]) -> Features:
        return embed_texts(texts, self.backbone, cache=self.cache)

    def _rows(self, rows: Rows, part: Embeddings) -> NDArray[Any]:
        if (rows, id(part)) not in self._made:
            self._made[rows, id(part)] = (part, rows.of(part.features))
        return self._made[rows, id(part)][1]


def _class_count(images: ImageSet) -> int | None:
    if images.class_names is not None:
        return len(images.class_names)
    return None if images.labels is None else int(images.labels.max()) + 1


def _uses_text(head: str | None) -> bool:
    return head is not None and head in heads and "text" in heads[head].needs


def _refusal(names: Sequence[str], prompts: Sequence[str]) -> str | None:
    try:
        fill_prompts(names, prompts)
    except InvalidInput as error:
        return str(error)
    return None
