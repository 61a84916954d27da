"""Frozen networks that turn images into features: bundled, timm, open_clip, or your own module."""

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
