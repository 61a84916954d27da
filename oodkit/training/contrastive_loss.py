"""Bringing two views of an image together and apart from all others (Rafiee et al., arXiv 2012.00461)."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def contrastive_loss(first: Tensor, second: Tensor, temperature: float, offset: int = 0) -> Tensor:
    """How well the second view of each image is told from those of the others by cosines with its first view:

        mean of  - log( exp(cos(h_i, h'_i) / T) / sum_j exp(cos(h_i, h'_j) / T) )

    One direction only, and no first view is a negative.

    Args:
        first: (B, d) features of first views.
        second: (M, d) features of second views, M >= B.
        temperature: T.
        offset: place in `second` of the second view of the first image; the others follow.
    """
    cosines = normalize(first, dim=1) @ normalize(second, dim=1).T
    own = torch.arange(offset, offset + len(first), device=first.device)
    return cross_entropy(cosines / temperature, own)
