"""Names of backbones that no library has, found before any weights are looked for."""

import os
from pathlib import Path

from oodkit.backbones.listing import BUNDLED, all_backbones
from oodkit.backbones.names import BackboneName
from oodkit.errors import unknown_name


def check_backbone_name(text: str) -> None:
    """Refuse a name that `load_backbone` cannot know; files and names of hubs are left to it.

    Raises:
        InvalidInput: it is no name.
        UnknownName: no library has it; the message has the nearest names.
    """
    name = BackboneName.parse(text)
    if str(name) == BUNDLED or name.family in ("module", "trained") or ":" in name.model or _is_file(name.weights):
        return
    known = [BackboneName.parse(full) for full in all_backbones()]
    for full in known:
        same_family = name.family in (None, full.family)
        if same_family and name.model in (full.model, full.model.partition(".")[0]) and _has(full, name.weights):
            return
    raise unknown_name("backbone", text, {*map(str, known), *(full.model for full in known)}, "oodkit list backbones")


def _has(full: BackboneName, weights: str | None) -> bool:
    return weights is None or weights == full.weights


def _is_file(weights: str | None) -> bool:
    if weights is None:
        return False
    return os.sep in weights or "/" in weights or "." in weights or Path(weights).exists()
