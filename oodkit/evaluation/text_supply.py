"""Texts for scorers and heads: class names, captions, negatives, names of OOD classes, and their embeddings."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oodkit.backbones import Backbone, Capability
from oodkit.data.captions import captions_of
from oodkit.data.image_set import ImageSet
from oodkit.data.words import Words, wordnet_words
from oodkit.embedding import Embeddings, embed_texts
from oodkit.errors import InvalidInput
from oodkit.evaluation.extras import Extras
from oodkit.heads import class_text_embeddings, mine_negatives
from oodkit.heads.prompts import clean_name, fill_prompts
from oodkit.scorers.base import Need

JOINT = frozenset({Need.TEXT, Need.CAPTIONS, Need.NEGATIVES, Need.OUT_TEXT})  # needs of the image-text space
Features = NDArray[np.float32]


class TextSupply:
    """Texts of one in-set; each embedded once, when asked for.

    Args:
        backbone: that embeds texts.
        in_: name of the in-set, for messages.
        images: its train images.
        extras: what the user gives.
        cache: folder of the store.

    Raises:
        InvalidInput: prompts that cannot be filled, or another number of class names than classes.
    """

    def __init__(
        self,
        backbone: Backbone,
        in_: str,
        images: ImageSet,
        extras: Extras,
        cache: str | os.PathLike[str] | None,
    ) -> None:
        self.backbone, self.in_, self.images, self.extras, self.cache = backbone, in_, images, extras, cache
        fill_prompts(["name"], extras.prompts)
        count = _class_count(images)
        if extras.class_names is not None and count not in (None, len(extras.class_names)):
            raise InvalidInput(f"{len(extras.class_names)} class names were given, but {in_} has {count} classes")

    @property
    def has_space(self) -> bool:
        """Whether the backbone has a joint image-text space."""
        return {Capability.PROJECT, Capability.EMBED_TEXT} <= self.backbone.capabilities

    @property
    def count(self) -> int | None:
        """Number of classes, where it is known."""
        return _class_count(self.images) if self.extras.class_names is None else len(self.extras.class_names)

    @property
    def class_names(self) -> Sequence[str] | None:
        """Names of the classes as texts."""
        return self._as_texts(self.images.class_names if self.extras.class_names is None else self.extras.class_names)

    @property
    def were_used(self) -> bool:
        """Whether the class names were embedded."""
        return "classes" in vars(self)

    @property
    def notes(self) -> list[str]:
        """A line about captions that belong to images, where they were used."""
        if "_embedded_captions" not in vars(self) or not isinstance(self.extras.captions, Mapping):
            return []
        return [f"captions: {len(self._captions):,}, those of the {len(self.images):,} fit images alone"]

    def lacks(self, needs: frozenset[Need], outs: Mapping[str, ImageSet]) -> str | None:
        """Why texts for these needs cannot be given, as the rest of a sentence; None where they can."""
        if needs & {Need.TEXT, Need.NEGATIVES} and (reason := self.lacks_names()) is not None:
            return f"it needs class names: {reason}"
        if Need.NEGATIVES in needs and self.extras.negatives is not None and not len(self._candidates):
            return "it needs negative words, and all that were given are class names; give others"
        if Need.CAPTIONS in needs and not self._captions:
            if self.extras.captions:
                return f"it needs captions of the fit images of {self.in_}, and those given are of others; check names"
            return "it needs captions of in-distribution images; give --captions FILE"
        return self._lacks_out_names(outs) if Need.OUT_TEXT in needs else None

    def lacks_names(self) -> str | None:
        """Why there are no class names; None where there are."""
        if self.class_names is None:
            return f"{self.in_} has none; give --class-names FILE"
        return _refusal(self.class_names, self.extras.prompts)

    def needed(self, needs: frozenset[Need], outs: Iterable[Embeddings]) -> dict[str, Any]:
        """The arguments of `fit` that are texts."""
        given: dict[str, Any] = {}
        if Need.TEXT in needs:
            given["text"] = self.classes
        if Need.CAPTIONS in needs:
            given["captions"] = self._embedded_captions
        if Need.NEGATIVES in needs:
            given["negatives"] = self._negatives
        if Need.OUT_TEXT in needs:
            given["out_text"] = self._out_text(outs)
        return given

    def embed(self, texts: Sequence[str]) -> Features:
        """Embeddings (T, J) of texts."""
        return embed_texts(texts, self.backbone, cache=self.cache)

    @cached_property
    def classes(self) -> torch.Tensor:
        """Embeddings (C, J) of the class names."""
        assert self.class_names is not None
        return class_text_embeddings(self.embed, self.class_names, self.extras.prompts)

    def _lacks_out_names(self, outs: Mapping[str, ImageSet]) -> str | None:
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
    def _captions(self) -> list[str]:
        return captions_of(self.extras.captions or (), self.images.ids)

    @cached_property
    def _embedded_captions(self) -> Features:
        return self.embed(self._captions)

    @cached_property
    def _candidates(self) -> Words:
        words = wordnet_words() if self.extras.negatives is None else self.extras.negatives
        return words.without(self.class_names or ())

    @cached_property
    def _negatives(self) -> Features:
        words = self._candidates
        embedded = class_text_embeddings(self.embed, words.words, self.extras.prompts[:1]).numpy()
        negatives: Features = embedded[mine_negatives(embedded, self.classes, kinds=words.kinds)]
        return negatives

    def _out_text(self, outs: Iterable[Embeddings]) -> torch.Tensor:
        found = next(iter(outs)).class_names if self.extras.out_names is None else self.extras.out_names
        names = self._as_texts(found)
        assert names is not None, "lacks() was not asked"
        return class_text_embeddings(self.embed, names, self.extras.prompts)

    def _as_texts(self, names: Sequence[str] | None) -> Sequence[str] | None:
        return [clean_name(name) for name in names] if names is not None and self.extras.clean_names else names


def _class_count(images: ImageSet) -> int | None:
    if images.class_names is not None:
        return len(images.class_names)
    return None if images.labels is None else int(images.labels.max()) + 1


def _refusal(names: Sequence[str], prompts: Sequence[str]) -> str | None:
    try:
        fill_prompts(names, prompts)
    except InvalidInput as error:
        return str(error)
    return None
