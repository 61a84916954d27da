"""A detector for people who have images rather than arrays."""

import copy
import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from oodkit.backbones import Backbone, load_backbone
from oodkit.data.captions import Captions
from oodkit.data.image_list import Images, as_image_set
from oodkit.data.image_set import ImageSet
from oodkit.data.words import Words
from oodkit.embedding import Embeddings, embed
from oodkit.errors import InvalidInput
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.rows import Rows
from oodkit.evaluation.supply import Supply
from oodkit.heads import PROMPT_ENSEMBLE
from oodkit.scorers import create
from oodkit.scorers.base import Scorer
from oodkit.scorers.rows import as_labels


class Detector:
    """A backbone and a scorer: fitted on in-distribution images, it scores others.

    Scores are the scorer's own; higher means more in-distribution.

    Args:
        backbone: a backbone, or a name for `load_backbone`.
        scorer: a scorer, or a registry name.
        cache: folder of the embedding store; None for OODKIT_CACHE or the platform's cache folder.
        params: the scorer's parameters when it is given by name, such as k=5.

    Raises:
        UnknownName: no such backbone or scorer.
    """

    def __init__(
        self,
        backbone: Backbone | str = "efficientnet_lite0",
        scorer: Scorer | str = "knn",
        *,
        cache: str | os.PathLike[str] | None = None,
        **params: Any,
    ) -> None:
        self.scorer: Scorer = create(scorer, **params) if isinstance(scorer, str) else scorer
        self.backbone = load_backbone(backbone) if isinstance(backbone, str) else backbone
        self.cache = cache
        self.fitted_on: str | None = None
        self._rows = Rows()

    def fit(
        self,
        images: Images,
        labels: Sequence[int] | ArrayLike | None = None,
        *,
        head: Any = None,
        class_names: Sequence[str] | None = None,
        prompts: Sequence[str] = PROMPT_ENSEMBLE,
        captions: Captions | None = None,
        negatives: Words | None = None,
        out_names: Sequence[str] | None = None,
        logit_scale: bool = False,
        clean_names: bool = False,
        aux: Images | None = None,
    ) -> Self:
        """Learn what in-distribution images look like.

        A scorer of logits, or one that works under a classifier, is given a head as in `oodkit.evaluate`: what the
        backbone, the labels or the class names allow.

        Args:
            images: paths, Pillow images, an image set, a folder or a data set's name; of a folder or data set with
                splits the train split, unless another is named.
            labels: (N,) class of each image, for scorers that use classes; default those of the image set.
            head: what gives logits: a registry name, (weight, bias), an `nn.Linear` or a `LinearHead` over features.
            class_names: names of the classes in label order; default those of the image set.
            prompts: sentences with {} where a class name belongs.
            captions: captions of in-distribution images, for "caption"; by file name, those of the train images are
                used alone.
            negatives: words to mine negatives from, for "neglabel"; None for those of WordNet.
            out_names: names of OOD classes, for "in_out_names".
            logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
            clean_names: whether underscores in class names become spaces; published results keep them.
            aux: images that are not in-distribution, for scorers that learn from such; named as `images`.

        Raises:
            OodkitError: an image cannot be read, the scorer lacks something, or cannot be fitted on these.
        """
        train = as_image_set(images, split="train")
        if labels is not None:
            train = copy.copy(train)
            train.labels = as_labels(labels, len(train)).numpy()
        extras = Extras(head, prompts, class_names, captions, negatives, out_names, logit_scale, clean_names)
        others = None if aux is None else as_image_set(aux, split="train")
        supply = Supply(self.backbone, train.name, train, extras, self.cache, aux=others)
        if (reason := supply.lacks(self.scorer, {})) is not None:
            given = "labels, head, class_names, captions, out_names and aux are arguments of fit"
            raise InvalidInput(f"{type(self.scorer).__name__} cannot be fitted here: {reason} ({given})")
        supply.fit = self._embed(train)
        self.scorer.fit(supply.rows(self.scorer, supply.fit), **supply.needed(self.scorer, []))
        self._rows = supply.rows_of(self.scorer)
        self.fitted_on = train.fingerprint
        return self

    def score(self, images: Images) -> NDArray[np.float64]:
        """(N,) scores in the order of the images; higher is more in-distribution.

        Args:
            images: paths, Pillow images, an image set, a folder or a data set's name; of a folder or data set with
                splits the test split, unless another is named.

        Raises:
            OodkitError: an image cannot be read.
            NotFittedError: `fit` has not been called.
        """
        return self.scorer.score_samples(self._rows.of(self._embed(as_image_set(images)).features))

    def score_pixels(self, pixels: Tensor) -> Tensor:
        """(B,) scores of pixels; gradients flow to them where the scorer is differentiable.

        Args:
            pixels: (B, 3, H, W) in [0, 1] at the backbone's input size, not normalised.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        rows = self._rows(self.backbone.embed_pixels(pixels))
        if self.scorer.differentiable:
            return self.scorer.score_tensor(rows)
        return torch.from_numpy(self.scorer.score_samples(rows.detach())).to(pixels.device)

    def __repr__(self) -> str:
        """Backbone and scorer."""
        return f"<Detector {self.scorer!r} on {self.backbone.name}, {self.backbone.image_size} px>"

    def _embed(self, images: ImageSet) -> Embeddings:
        return embed(images, self.backbone, cache=self.cache)
