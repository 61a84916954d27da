"""The folder of a training: what it is, how far it is, and what came of it."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor, nn

from oodkit.atomic import write_atomically
from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.backbones.trained_family import CARD, read_card
from oodkit.errors import InvalidInput
from oodkit.training.checkpoint import Checkpoint

RUN, CHECKPOINT, LOSSES = "run.json", "checkpoint.safetensors", "losses.json"
BEST = "best.safetensors"  # weights of the stage that is trained, by the loss of held-out images


class TrainingFolder:
    """Files of one run.

    Args:
        path: the folder; made when something is written.
        run: all that decides the run, as JSON values.

    Raises:
        InvalidInput: the folder is that of another run, or of something else.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path = path
        self.run = json.loads(json.dumps(run))
        if path.is_file():
            raise InvalidInput(f"{path} is a file; name a folder with --to")
        if (path / RUN).is_file():
            try:
                there = json.loads((path / RUN).read_text(encoding="utf-8"))
            except ValueError:
                there = {}
            if there != self.run:
                raise InvalidInput(
                    f"{path} holds another run ({_difference(there, self.run)}); name another folder with --to"
                )
        elif path.is_dir() and any(path.iterdir()):
            raise InvalidInput(f"{path} holds files, but no training; name an empty or a new folder with --to")

    @property
    def finished(self) -> bool:
        """Whether the training is done."""
        return (self.path / CARD).is_file()

    @property
    def card(self) -> dict[str, Any]:
        """What was written about a finished training."""
        return read_card(self.path)

    def begin(self) -> None:
        """Say whose folder it is."""
        self._write_json(RUN, self.run)

    def checkpoint(self) -> Checkpoint | None:
        """Where the run stands; None before its first checkpoint."""
        path = self.path / CHECKPOINT
        return Checkpoint.read(path) if path.is_file() else None

    def save(self, checkpoint: Checkpoint) -> None:
        """Remember where the run stands."""
        checkpoint.write(self.path / CHECKPOINT)
        self.save_losses(checkpoint.losses)

    def save_losses(self, losses: dict[str, list[float]]) -> None:
        """Write the loss of each step by stage."""
        self._write_json(LOSSES, losses, indent=None)

    def save_weights(self, name: str, module: nn.Module) -> None:
        """Write a module's state."""
        state: dict[str, Tensor] = {
            key: value.detach().cpu().contiguous().clone() for key, value in module.state_dict().items()
        }
        write_atomically(self.path / name, save(state))

    def load_weights(self, name: str, module: nn.Module) -> None:
        """Bring a module to the state that was written; raises WeightsError where it does not fit."""
        load_strictly(module, read_state_file(self.path / name), str(self.path / name))

    def finish(self, card: dict[str, Any]) -> None:
        """Say that it is done; what it would go on from is no longer needed."""
        self._write_json(CARD, card)
        for name in (CHECKPOINT, BEST):
            (self.path / name).unlink(missing_ok=True)

    def _write_json(self, name: str, value: Any, indent: int | None = 1) -> None:
        write_atomically(self.path / name, (json.dumps(value, indent=indent) + "\n").encode())


def _difference(there: dict[str, Any], here: dict[str, Any], place: str = "") -> str:
    """The first thing that differs, in words."""
    for key in here | there:
        old, new = there.get(key), here.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            return _difference(old, new, f"{place}{key}.")
        return f"{place}{key} is {_short(old)} there, {_short(new)} here"
    return "it cannot be read"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
