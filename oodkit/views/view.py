"""What a view is."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class View:
    """A deterministic transform of one image.

    Its name, and for a view of another package that package's version, are part of the key under which embeddings are
    stored: a release that changes the pixels makes new ones.

    Attributes:
        name: the registry name.
        apply: uint8 pixels (3, H, W) -> uint8 pixels (3, H', W'); called from several threads.
    """

    name: str
    apply: Callable[[Tensor], Tensor]
