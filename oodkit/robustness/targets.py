"""In-distribution images whose features an attack aims at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.attacks.feature_matching import matching
from oodkit.attacks.goal import Goal
from oodkit.backbones import Backbone
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings


@dataclass(frozen=True)
class Targets:
    """One target per attacked image.

    Attributes:
        features: (N, D) float32, in the order of the attacked images.
        names: (N,) ids of the target images.
    """

    features: Tensor
    names: tuple[str, ...]

    def goal(self, backbone: Backbone, places: Sequence[int]) -> Goal:
        """The cosine to the targets of these images of the attacked set."""
        return matching(backbone.embed_pixels, self.features[list(places)])


def draw_targets(train: Embeddings, attacked: ImageSet, seed: int) -> tuple[Targets, NDArray[np.bool_]]:
    """Targets drawn with replacement from the fit images, as published, and which rows were drawn.

    Args:
        train: features of the fit images.
        attacked: what is attacked.
        seed: of the draw.

    Returns:
        The targets, and a mask (M,) over the fit images that is false where one is a target.
    """
    rows = np.random.default_rng(seed).integers(len(train), size=len(attacked))
    features = torch.from_numpy(np.ascontiguousarray(train.features[rows], dtype=np.float32))
    others = np.ones(len(train), dtype=bool)
    others[rows] = False
    return Targets(features, tuple(str(train.ids[row]) for row in rows)), others
