"""The names of all backbones that the installed libraries offer."""

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

BUNDLED = "efficientnet_lite0"


def list_backbones(pattern: str = "*") -> list[str]:
    """Full names that match a shell wildcard, with or without the family.

    Args:
        pattern: such as "ViT-*", "timm:*dinov2*" or "*laion2b*"; case counts only where the pattern has capitals.
    """
    names = all_backbones()
    if pattern == pattern.lower():
        return [name for name in names if _matches(name.lower(), pattern)]
    return [name for name in names if _matches(name, pattern)]


def all_backbones() -> Sequence[str]:
    """Every backbone with weights: the bundled one, open_clip's, timm's.

    Asking timm and open_clip takes seconds, so the answer is kept per version of both in the user's cache folder.
    """
    known = _read(_listing_file())
    if known is None:
        known = _ask_libraries()
        _keep(known, _listing_file())
    return known


def known_backbones() -> Sequence[str]:
    """What `all_backbones` last gave, without importing anything; the bundled one alone where it was never asked."""
    return _read(_listing_file()) or [BUNDLED]


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.partition(":")[2], pattern)


def _ask_libraries() -> list[str]:
    import open_clip
    import timm

    clips = [f"open_clip:{model}/{tag}" for model, tag in open_clip.list_pretrained()]
    return [BUNDLED, *sorted(clips), *sorted(f"timm:{model}" for model in timm.list_pretrained())]


def _listing_file() -> Path:
    versions = f"timm-{version('timm')}_open_clip-{version('open_clip_torch')}"
    return user_cache_path("oodkit") / f"backbones_{versions}.json"


def _read(path: Path) -> list[str] | None:
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _keep(names: Sequence[str], path: Path) -> None:
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(list(names)), encoding="utf-8")
        partial.replace(path)
    except OSError:
        return  # a read-only home only costs the seconds again
