"""State dicts from files, read without running code from them, and loaded strictly."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from oodkit.errors import DataNotFound, WeightsError


def read_state_file(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a torch checkpoint read with `weights_only=True`.

    Raises:
        DataNotFound: there is no such file.
        WeightsError: it holds something else than named tensors, or code.
    """
    if not path.is_file():
        raise DataNotFound(f"no weights file at {path}; check the path")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a readable state dict ({type(error).__name__}); save one with safetensors or torch.save"
        ) from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} does not hold a state dict of named tensors; save `model.state_dict()`")
    return dict(state)


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load every tensor into its place; missing, unexpected or misshapen ones are an error.

    Batch-norm counters (`num_batches_tracked`) may be absent: nothing is computed from them in evaluation.

    Raises:
        WeightsError: the first few keys that do not fit.
    """
    own = module.state_dict()
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    misshapen = [key for key in own if key in state and own[key].shape != state[key].shape]
    faults = [
        f"{len(keys)} {kind} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
        for kind, keys in (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
        if keys
    ]
    if faults:
        raise WeightsError(f"the weights do not fit {name}: {'; '.join(faults)}; check architecture and file")
    module.load_state_dict(state, strict=False)
