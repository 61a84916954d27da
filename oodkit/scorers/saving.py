"""A fitted scorer in a folder: parameters and numbers as JSON, arrays as safetensors."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from oodkit.errors import DataNotFound, InvalidInput

FORMAT = 1
DESCRIPTION = "scorer.json"


def save_state(folder: Path, kind: str, parameters: Mapping[str, Any], learned: Mapping[str, Any]) -> None:
    """Write a scorer so that the folder holds, at every moment, the old one or the new one whole.

    Args:
        folder: made if it is not there.
        kind: the scorer's class as "module:name".
        parameters: its `get_params`.
        learned: its fitted attributes: tensors, arrays of numbers or names, numbers, text, lists of these, None.

    Raises:
        InvalidInput: a value of another type.
    """
    tensors: dict[str, Tensor] = {}
    arrays: list[str] = []
    names: list[str] = []
    plain: dict[str, Any] = {}
    for key, value in learned.items():
        if isinstance(value, Tensor):
            tensors[key] = _apart(value.detach().cpu().contiguous(), tensors)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            tensors[key] = torch.from_numpy(np.ascontiguousarray(value))
            arrays.append(key)
        elif isinstance(value, np.ndarray):
            plain[key] = value.tolist()
            names.append(key)
        else:
            plain[key] = value

    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"writing-{os.getpid()}"
    try:
        save_file(tensors, written)
        tensor_file = f"{_digest(written)}.safetensors"
        description = {
            "format": FORMAT,
            "scorer": kind,
            "parameters": dict(parameters),
            "learned": plain,
            "arrays": arrays,
            "names": names,
            "tensors": tensor_file,
        }
        text = _to_json(description, kind)
        _put(written, folder / tensor_file)
        written.write_text(text, encoding="utf-8")
        _put(written, folder / DESCRIPTION)
    finally:
        written.unlink(missing_ok=True)
    for old in folder.glob("*.safetensors"):
        if old.name != tensor_file:
            old.unlink()


def load_state(folder: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and fitted attributes as `save_state` was given them, tensors on the CPU.

    Raises:
        DataNotFound: the folder holds no scorer.
        InvalidInput: it holds another kind of scorer, or damaged files.
    """
    description = read_description(folder)
    if description["scorer"] != kind:
        raise InvalidInput(f"{folder} holds a {description['scorer']}, not a {kind}; load it with its own class")
    path = folder / description["tensors"]
    try:
        if f"{_digest(path)}.safetensors" != path.name:
            raise InvalidInput(f"{path} is damaged: its content is not what was saved; fit and save again")
        learned: dict[str, Any] = dict(load_file(path))
    except (FileNotFoundError, SafetensorError) as error:
        raise InvalidInput(f"{path} is missing or damaged; fit and save again") from error
    for key in description["arrays"]:
        learned[key] = learned[key].numpy()
    for key, value in description["learned"].items():
        learned[key] = np.asarray(value, dtype=object) if key in description["names"] else value
    return as_parameters(description["parameters"]), learned


def as_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they were before JSON, which has no tuples: no scorer takes a list."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def read_description(folder: Path) -> dict[str, Any]:
    """The JSON part of a saved scorer: its class ("scorer") and parameters.

    Raises:
        DataNotFound: the folder holds no scorer.
        InvalidInput: the file is damaged or of a newer format.
    """
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        newest = description["format"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataNotFound(f"no saved scorer in {folder}; give the folder that save() wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{folder / DESCRIPTION} is damaged; fit and save again") from error
    if newest != FORMAT:
        raise InvalidInput(f"{folder} has format {newest}, this version reads format {FORMAT}; fit and save again")
    return description


def _apart(tensor: Tensor, others: Mapping[str, Tensor]) -> Tensor:
    """The tensor in memory of its own, which safetensors asks for."""
    shared = {other.untyped_storage().data_ptr() for other in others.values()}
    return tensor.clone() if tensor.untyped_storage().data_ptr() in shared else tensor


def _to_json(description: Mapping[str, Any], kind: str) -> str:
    try:
        return json.dumps(description, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{kind} cannot be saved, only arrays, finite numbers and text can: {error}") from error


def _put(written: Path, final: Path) -> None:
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(final)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
