"""Where a training in stages stands."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from oodkit.checkpoints import State, named, optimiser_tensors, restore_optimiser
from oodkit.errors import InvalidInput


@dataclass(frozen=True)
class Checkpoint:
    """What a run goes on from.

    Attributes:
        stage: name of the stage.
        step: updates of it that are done.
        losses: by stage, of each step that is done.
        module: the state of the stage.
        optimiser: what its optimiser keeps, as `optimiser_tensors` names it.
    """

    stage: str
    step: int
    losses: dict[str, list[float]]
    module: dict[str, Tensor]
    optimiser: dict[str, Tensor]

    @classmethod
    def of(
        cls, stage: str, step: int, losses: dict[str, list[float]], module: nn.Module, optimiser: torch.optim.Optimizer
    ) -> "Checkpoint":
        """Of a stage as it is now."""
        return cls(stage, step, losses, module.state_dict(), optimiser_tensors(optimiser))

    def restore(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Bring a stage and its optimiser to where they were.

        Raises:
            InvalidInput: they are others than those that were saved.
        """
        try:
            module.load_state_dict(self.module)
            restore_optimiser(optimiser, self.optimiser)
        except (RuntimeError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:160]
            raise InvalidInput(f"the checkpoint does not fit ({reason}); train into another folder") from error

    def write(self, path: Path) -> None:
        """Write the file; an older one stands until this one is whole."""
        words = {"stage": self.stage, "step": self.step, "losses": self.losses}
        State(words, named("module", self.module) | named("optimiser", self.optimiser)).write(path)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read the file.

        Raises:
            InvalidInput: it is damaged, or something else.
        """
        state = State.read(path)
        try:
            return cls(**state.words, module=state.part("module"), optimiser=state.part("optimiser"))
        except TypeError as error:
            raise InvalidInput(f"{path} is a checkpoint of something else; name another folder with --to") from error
