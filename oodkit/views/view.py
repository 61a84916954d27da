"""What a view is."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class View:
    """A deterministic transform of one image; its name is part of the key under which embeddings are stored.

    Attributes:
        name: the registry name.
        apply: uint8 pixels (3, H, W) -> uint8 pixels (3, H', W'); called from several threads.
    """

    name: str
    apply: Callable[[Tensor], Tensor]
