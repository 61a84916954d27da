"""A folder in which trainings keep where they stand, so that one that was killed goes on from there."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oodkit.checkpoints.state import State, add_to_digest
from oodkit.errors import InvalidInput

SECONDS = 10.0  # between two checkpoints, at least
COST = 20  # and so many times as long as the last one took to write
FORMAT = 1

_log = logging.getLogger(__name__)


@contextmanager
def checkpoints_in(folder: Path) -> Iterator[None]:
    """Within the block, trainings keep checkpoints in a folder and go on from those that a killed run left there.

    A training that goes on ends with the weights of one that never stopped. With other versions or on another number of
    threads it is another training, and begins. When the block ends well, its checkpoints are deleted. A folder that
    cannot be written to costs a warning and nothing else. Within another such block, the outer folder is used, to that
    block's end.

    Args:
        folder: made when something is written.
    """
    if _active.get() is not None:
        yield
        return
    kept = _Folder(folder)
    token = _active.set(kept)
    try:
        yield
        kept.clear()
    finally:
        _active.reset(token)


class Checkpoints:
    """The checkpoints of one training.

    Args:
        path: of the file; None where none are kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._wait = SECONDS
        self._written = time.monotonic()

    def last(self, first: State) -> State | None:
        """Where a killed run of the same training was; None for the beginning.

        Args:
            first: where it begins; what was kept must have its tensors.
        """
        if self._path is None or not self._path.is_file():
            return None
        try:
            found = State.read(self._path)
        except (InvalidInput, OSError) as error:
            _log.warning("a training starts again: %s", error)
            return None
        if not found.fits(first):
            _log.warning("a training starts again: %s is of another form", self._path)
            return None
        return found

    def offer(self, state: Callable[[], State]) -> None:
        """Write a checkpoint if the last one is some time ago; to be called after every step.

        Args:
            state: gives where the training stands.
        """
        started = time.monotonic()
        if self._path is None or started - self._written < self._wait:
            return
        try:
            state().write(self._path)
        except OSError as error:
            _log.warning("no checkpoints are kept: %s cannot be written (%s)", self._path, error.strerror or error)
            self._path = None
            return
        self._written = time.monotonic()
        self._wait = max(SECONDS, COST * (self._written - started))


def checkpoints_of(kind: str, settings: Mapping[str, Any], *data: Tensor | None) -> Checkpoints:
    """The checkpoints of a training, in the folder of the `checkpoints_in` around it; without one, none are kept.

    Args:
        kind: name of the method.
        settings: all that decides the training besides the data, as JSON values.
        data: all that is trained on.
    """
    active = _active.get()
    return Checkpoints(None if active is None else active.file(kind, settings, data))


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: list[Path] = []

    def file(self, kind: str, settings: Mapping[str, Any], data: tuple[Tensor | None, ...]) -> Path:
        versions = [version("oodkit-vision"), version("torch"), torch.get_num_threads()]
        made = [FORMAT, kind, versions, torch.backends.cpu.get_cpu_capability(), dict(settings)]
        digest = hashlib.sha256(json.dumps(made, sort_keys=True, default=str).encode())
        for tensor in data:
            add_to_digest(digest, tensor)
        path = self._path / f"{kind}-{digest.hexdigest()[:32]}.safetensors"
        self._files.append(path)
        return path

    def clear(self) -> None:
        for path in self._files:
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            self._path.rmdir()  # unless it holds those of others


_active: ContextVar[_Folder | None] = ContextVar("checkpoints", default=None)
