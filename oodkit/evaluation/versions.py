"""Versions of what a result depends on."""

from functools import cache
from importlib.metadata import version

_LIBRARIES = ("oodkit-vision", "torch", "timm", "open_clip_torch", "scikit-learn", "numpy", "pillow")


@cache
def library_versions() -> dict[str, str]:
    """Versions of oodkit and of the libraries that decide its figures, by name."""
    return {name: version(name) for name in _LIBRARIES}
