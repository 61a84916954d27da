"""A detector for people who have images rather than arrays."""

import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.data.image_list import Images, as_image_set
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings, embed
from oodkit.scorers import create
from oodkit.scorers.base import Scorer


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

    def fit(self, images: Images, labels: Sequence[int] | ArrayLike | None = None) -> Self:
        """Learn what in-distribution images look like.

        Args:
            images: paths, Pillow images, an image set, a folder or a data set's name; of a folder or data set with
                splits the train split, unless another is named.
            labels: (N,) class of each image, for scorers that use classes; default those of the image set.

        Raises:
            OodkitError: an image cannot be read, or the scorer cannot be fitted on these.
        """
        embedded = self._embed(as_image_set(images, split="train"))
        classes = embedded.labels if labels is None else np.asarray(labels)
        self.scorer.fit(embedded.features, classes)
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
        return self.scorer.score_samples(self._embed(as_image_set(images)).features)

    def __repr__(self) -> str:
        """Backbone and scorer."""
        return f"<Detector {self.scorer!r} on {self.backbone.name}, {self.backbone.image_size} px>"

    def _embed(self, images: ImageSet) -> Embeddings:
        return embed(images, self.backbone, cache=self.cache)
