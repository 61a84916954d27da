"""Memory that is used again and again: fresh memory for each large product costs more time than the product."""

import math

from torch import Tensor


class Workspace:
    """Tensors by name, made when first asked for and kept; what they held is overwritten by whoever asks next."""

    def __init__(self) -> None:
        self._made: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int, like: Tensor) -> Tensor:
        """A contiguous tensor of this shape, with the dtype and device of another, not initialised."""
        size = math.prod(shape)
        held = self._made.get(name)
        if held is None or len(held) < size or held.dtype != like.dtype or held.device != like.device:
            held = self._made[name] = like.new_empty(size)
        return held[:size].view(shape)
