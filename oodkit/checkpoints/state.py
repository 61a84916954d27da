"""Where a training stands: words and tensors, in one file that is either whole or not there."""

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
        write_atomically(path, save(whole, metadata={_KEY: json.dumps(self.words)}))

    @classmethod
    def read(cls, path: Path) -> "State":
        """Read the file.

        Raises:
            InvalidInput: it is damaged, or something else.
        """
        try:
            with safe_open(path, "pt") as file:
                words = json.loads((file.metadata() or {})[_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        except (SafetensorError, KeyError, ValueError) as error:
            raise InvalidInput(
                f"{path} is not a whole checkpoint ({type(error).__name__}); delete it to train from the beginning"
            ) from error
        return cls(words, tensors)


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
