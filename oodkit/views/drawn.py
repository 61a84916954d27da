"""Views that draw at random: `NAME1`, `NAME2`, ... are as many draws, each always the same for the same pixels."""

import hashlib
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from oodkit.views.numbered_names import number_of
from oodkit.views.view import View

Draw = Callable[[Tensor, torch.Generator], Tensor]


def drawn_views(families: Mapping[str, Draw]) -> Callable[[str], View]:
    """A module's `__getattr__` that makes the views of its families.

    Args:
        families: for each prefix of a name, what makes of uint8 pixels (3, H, W) and a generator other uint8 pixels.
    """

    def view(name: str) -> View:
        draws = [draw for prefix, draw in families.items() if number_of(prefix, name) is not None]
        if not draws:
            raise AttributeError(f"no view is called {name!r} here")
        return View(name, lambda pixels: draws[0](pixels, generator_of(name, pixels)))

    return view


def generator_of(name: str, pixels: Tensor) -> torch.Generator:
    """A generator seeded by the view's name and the SHA-256 of the pixels, so by neither place nor order of images."""
    shape = "x".join(map(str, pixels.shape))
    digest = hashlib.sha256(f"{name}\0{shape}\0".encode())
    digest.update(pixels.contiguous().numpy().tobytes())
    return torch.Generator().manual_seed(int.from_bytes(digest.digest()[:8], "little", signed=True))


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """One number from low to high."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def happens(probability: float, generator: torch.Generator) -> bool:
    """True in a share of `probability` of the draws."""
    return float(torch.rand((), generator=generator)) < probability
