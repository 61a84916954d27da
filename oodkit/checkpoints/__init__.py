"""Where trainings stand, kept on disk so that a killed one goes on."""

from oodkit.checkpoints.folder import Checkpoints, checkpoints_in, checkpoints_of
from oodkit.checkpoints.state import State, named, optimiser_tensors, restore_optimiser

__all__ = [
    "Checkpoints",
    "State",
    "checkpoints_in",
    "checkpoints_of",
    "named",
    "optimiser_tensors",
    "restore_optimiser",
]
