"""Frozen networks that turn images into features: bundled, timm, open_clip, or your own module."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oodkit.backbones.base import Backbone, Capability, Precision
    from oodkit.backbones.device import choose_device
    from oodkit.backbones.listing import list_backbones
    from oodkit.backbones.load import load_backbone
    from oodkit.backbones.module_family import from_module
    from oodkit.backbones.network import Network
    from oodkit.backbones.preprocessing import Preprocessing

__all__ = [
    "Backbone",
    "Capability",
    "Network",
    "Precision",
    "Preprocessing",
    "choose_device",
    "from_module",
    "list_backbones",
    "load_backbone",
]

# Loaded when first used, so that listing names does not import torch.
_HOMES = {
    "Backbone": "base",
    "Capability": "base",
    "Network": "network",
    "Precision": "base",
    "Preprocessing": "preprocessing",
    "choose_device": "device",
    "from_module": "module_family",
    "list_backbones": "listing",
    "load_backbone": "load",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"oodkit.backbones.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'oodkit.backbones' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
