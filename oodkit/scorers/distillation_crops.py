"""Crops of one training step of self-distillation, drawn from views that were embedded before."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Crops:
    """What a step is made of.

    Attributes:
        positive: (S, B, d) rows of S crops of each image, S >= 2; the teacher sees the first two.
        negative: sets of negative crops, (M, B, d) each.
    """

    positive: Tensor
    negative: Sequence[Tensor]


class Images:
    """Views of images, to draw crops from.

    Args:
        positives: (1 + V, N, d) the images as they are and mild views.
        local: (L, N, d) small crops, maybe none.
        shifted: sets of views (W, N, d) that are negatives; maybe none.
        aux: (W, A, d) further negatives of other images.
        near: (N, n) places of nearest others, or None.
        share: of the positive pairs that are neighbours.
    """

    def __init__(
        self,
        positives: Tensor,
        local: Tensor,
        shifted: list[Tensor],
        aux: Tensor | None,
        near: Tensor | None,
        share: float,
    ) -> None:
        self.positives, self.local, self.shifted, self.aux = positives, local, shifted, aux
        self.near, self.share = near, share

    def draw(self, anchors: Tensor, generator: torch.Generator) -> Crops:
        """Crops for anchors (B,), places of images.

        The first crop is of the anchor, the second another view of it or a view of a neighbour.
        """
        count, views = len(anchors), len(self.positives)

        def below(high: int) -> Tensor:
            return torch.randint(high, (count,), generator=generator)

        first = below(views)
        second, image = (first + 1 + below(views - 1)) % views, anchors
        if self.near is not None:
            is_near = torch.rand(count, generator=generator) < self.share
            image = torch.where(is_near, self.near[anchors, below(self.near.shape[1])], anchors)
            second = torch.where(is_near, below(views), second)
        crops = [self.positives[first, anchors], self.positives[second, image]]
        crops += [part[anchors] for part in self.local]
        negative = [part[below(len(part)), anchors][None] for part in self.shifted]
        if self.aux is not None:
            negative.append(self.aux[below(len(self.aux)), below(self.aux.shape[1])][None])
        return Crops(torch.stack(crops), negative)
