"""Where a training stands, in one file that is either whole or not there."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from oodkit.embedding.atomic import write_atomically
from oodkit.errors import InvalidInput

_KEY = "oodkit"


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from.

    Attributes:
        stage: name of the stage.
        step: updates of it that are done.
        losses: by stage, of each step that is done.
        module: the state of the stage.
        optimiser: of each parameter by number, what its optimiser keeps.
    """

    stage: str
    step: int
    losses: dict[str, list[float]]
    module: dict[str, Tensor]
    optimiser: dict[int, dict[str, Tensor]]

    @classmethod
    def of(
        cls, stage: str, step: int, losses: dict[str, list[float]], module: nn.Module, optimiser: torch.optim.Optimizer
    ) -> "Checkpoint":
        """Of a stage as it is now."""
        return cls(stage, step, losses, module.state_dict(), optimiser.state_dict()["state"])

    def restore(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Bring a stage and its optimiser to where they were.

        Raises:
            InvalidInput: they are others than those that were saved.
        """
        try:
            module.load_state_dict(self.module)
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": self.optimiser, "param_groups": groups})
        except (RuntimeError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:160]
            raise InvalidInput(f"the checkpoint does not fit ({reason}); train into another folder") from error

    def write(self, path: Path) -> None:
        """Write the file; an older one stands until this one is whole."""
        tensors = {f"module.{name}": value for name, value in self.module.items()}
        for number, kept in self.optimiser.items():
            tensors.update({f"optimiser.{number}.{name}": value for name, value in kept.items()})
        words = json.dumps({"stage": self.stage, "step": self.step, "losses": self.losses})
        whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        write_atomically(path, save(whole, metadata={_KEY: words}))

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read the file.

        Raises:
            InvalidInput: it is damaged, or something else.
        """
        module: dict[str, Tensor] = {}
        optimiser: dict[int, dict[str, Tensor]] = {}
        try:
            with safe_open(path, "pt") as file:
                words = json.loads((file.metadata() or {})[_KEY])
                for key in file.keys():  # noqa: SIM118 - it is no dict
                    kind, _, name = key.partition(".")
                    if kind == "module":
                        module[name] = file.get_tensor(key)
                    else:
                        number, _, name = name.partition(".")
                        optimiser.setdefault(int(number), {})[name] = file.get_tensor(key)
            return cls(words["stage"], words["step"], words["losses"], module, optimiser)
        except (SafetensorError, KeyError, ValueError) as error:
            raise InvalidInput(
                f"{path} is not a whole checkpoint ({type(error).__name__}); delete it to train from the beginning"
            ) from error
