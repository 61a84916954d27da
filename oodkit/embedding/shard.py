"""A shard: the features of a few hundred images in one safetensors file that says itself what it holds."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save


@dataclass(frozen=True)
class Space:
    """Everything that decides an image's features, besides the image.

    Attributes:
        fingerprint: the backbone's: weights, architecture, feature layer, preprocessing.
        numerics: precision, with "+compile" where the backbone was compiled.
        view: the view's name.
    """

    fingerprint: str
    numerics: str
    view: str

    @property
    def key(self) -> str:
        """SHA-256 (hex) of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class CorruptShard(Exception):
    """A shard that is not what was written."""


def encode_shard(space: Space, backbone: str, digests: list[bytes], features: NDArray[Any]) -> bytes:
    """The file's bytes: features (N, D), the images' digests (N, 32), the space, and what the backbone is called."""
    keys = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), 32)
    arrays = {"features": np.ascontiguousarray(features), "digests": keys}
    return save(arrays, metadata={"space": json.dumps(asdict(space), sort_keys=True), "backbone": backbone})


def read_features(path: Path, sha256: str) -> NDArray[Any]:
    """The features (N, D) of a shard whose bytes are checked first.

    Raises:
        CorruptShard: the file is missing, truncated or changed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorruptShard(f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CorruptShard("checksum differs")
    return load(data)["features"]


def read_contents(path: Path) -> tuple[Space, str, list[bytes]]:
    """The space, the backbone's name and the images' digests of a shard, as the file itself says them.

    Raises:
        CorruptShard: the file is not a whole shard.
    """
    try:
        with safe_open(path, framework="np") as file:
            about = file.metadata() or {}
            space, backbone = Space(**json.loads(about["space"])), about["backbone"]
            digests = [bytes(row) for row in file.get_tensor("digests")]
            if len(file.get_tensor("features")) != len(digests):
                raise CorruptShard("counts differ")
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise CorruptShard(str(error)) from error
    return space, backbone, digests
