"""What makes two backbones the same: weights, architecture, feature layer and preprocessing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from oodkit.backbones.preprocessing import Preprocessing

# Raised when the same weights and pixels would give other features or other pixels than before.
BEHAVIOUR = 1


def backbone_fingerprint(architecture: str, weights: str, preprocessing: Preprocessing) -> str:
    """SHA-256 (hex) over everything that decides what a backbone computes in exact arithmetic.

    Args:
        architecture: family, model, options and the layer that features are taken from.
        weights: digest of the weights, from `weights_digest` or `file_digest`.
        preprocessing: sizes, interpolation and normalisation.
    """
    parts = {
        "architecture": architecture,
        "weights": weights,
        "preprocessing": asdict(preprocessing),
        "behaviour": BEHAVIOUR,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, types, shapes and values of a state dict, whatever its order."""
    whole = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        whole.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
