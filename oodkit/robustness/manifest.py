"""A file of JSON lines that a killed run leaves usable: what it was made with, then what is done."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oodkit.atomic import PARTIAL_SUFFIX, write_atomically
from oodkit.detector import Detector
from oodkit.errors import InvalidInput
from oodkit.evaluation.versions import library_versions


class Manifest:
    """Lines of a folder's manifest; new where the folder is new or empty.

    Args:
        path: of the file.
        settings: what the lines depend on; JSON values.

    Attributes:
        lines: those of earlier runs and those added since; one that a killed run left in part is dropped.

    Raises:
        InvalidInput: the folder holds other files, or was made with other settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._path = path
        self.lines: list[dict[str, Any]] = []
        if path.exists():
            self.lines = self._earlier(settings)
        elif path.parent.exists() and any(not one.name.endswith(PARTIAL_SUFFIX) for one in path.parent.iterdir()):
            raise InvalidInput(f"{path.parent} holds other files; name a new folder")
        else:
            write_atomically(path, (json.dumps({"settings": settings}) + "\n").encode())

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Append lines, and wait until they are on the disk."""
        new = list(lines)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in new)
            stream.flush()
            os.fsync(stream.fileno())
        self.lines += new

    def _earlier(self, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        whole = self._path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        try:
            first, *rest = [json.loads(line) for line in kept.splitlines()]
            earlier = first["settings"]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(f"{self._path} does not begin with its settings; name a new folder") from error
        if different := [key for key in settings if earlier.get(key) != settings[key]]:
            raise InvalidInput(f"{self._path.parent} was made with another {different[0]}; name a new folder")
        if kept != whole:
            write_atomically(self._path, kept)
        return rest


def detector_settings(detector: Detector) -> dict[str, Any]:
    """What scores of images depend on, as JSON values."""
    return {
        "backbone": detector.backbone.name,
        "fingerprint": detector.backbone.fingerprint,
        "numerics": detector.backbone.numerics,
        "image_size": detector.backbone.image_size,
        "scorer": repr(detector.scorer),
        "fitted_on": detector.fitted_on,
        "versions": library_versions(),
    }
