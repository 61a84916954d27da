"""Where a training stands: words and tensors, in one file that is either whole or not there."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from oodkit.atomic import write_atomically
from oodkit.errors import InvalidInput

BLOCK_BYTES = 2**26  # of a tensor, that are hashed at once

_KEY = "oodkit"


@dataclass(frozen=True)
class State:
    """What a training goes on from.

    Attributes:
        words: JSON values.
        tensors: by name.
    """

    words: dict[str, Any]
    tensors: dict[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """Tensors whose names begin with `name` and a dot, by the rest of their names."""
        start = f"{name}."
        return {key.removeprefix(start): value for key, value in self.tensors.items() if key.startswith(start)}

    def write(self, path: Path) -> None:
        """Write the file; an older one stands until this one is whole."""
        whole = {name: value.detach().cpu().contiguous().clone() for name, value in self.tensors.items()}
        words = json.dumps({"words": self.words, "sha256": _digest(whole)})
        write_atomically(path, save(whole, metadata={_KEY: words}))

    @classmethod
    def read(cls, path: Path) -> "State":
        """Read the file.

        Raises:
            InvalidInput: it is damaged, or something else.
        """
        try:
            with safe_open(path, "pt") as file:
                kept = json.loads((file.metadata() or {})[_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            words, changed = kept["words"], kept["sha256"] != _digest(tensors)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"{path} is not a whole checkpoint ({type(error).__name__}); delete it to train from the beginning"
            ) from error
        if changed:
            raise InvalidInput(f"{path} is not as it was written; delete it to train from the beginning")
        return cls(words, tensors)

    def fits(self, other: "State") -> bool:
        """Whether all tensors of the other one are here, in the same shapes and types."""
        here, there = ({name: (x.shape, x.dtype) for name, x in one.tensors.items()} for one in (self, other))
        return there.items() <= here.items()


def add_to_digest(digest: Any, tensor: Tensor | None) -> None:
    """Update a digest of hashlib by the type, the shape and the numbers of a tensor, or by there being none."""
    digest.update(json.dumps(None if tensor is None else [str(tensor.dtype), list(tensor.shape)]).encode())
    if tensor is None or tensor.numel() == 0:
        return
    rows = tensor.detach() if tensor.ndim else tensor.detach()[None]
    size = max(1, BLOCK_BYTES // max(1, rows[0].numel() * rows.element_size()))
    for part in torch.split(rows, size):
        digest.update(part.cpu().contiguous().flatten().view(torch.uint8).numpy().data)


def named(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under names that begin with `name` and a dot, as `State.part` finds them."""
    return {f"{name}.{key}": value for key, value in tensors.items()}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser keeps of each parameter, by the parameter's number and the name of what is kept."""
    state = optimiser.state_dict()["state"]
    return {f"{number}.{name}": value for number, kept in state.items() for name, value in kept.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser what `optimiser_tensors` took from one with the same parameters and settings."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        add_to_digest(digest, tensors[name])
    return digest.hexdigest()
