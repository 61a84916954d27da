"""Training image models end to end: self-distillation with shifted negatives, and SemSAD."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oodkit.training.judging import Judgement
    from oodkit.training.presets import PRESETS
    from oodkit.training.running import Trained, train
    from oodkit.training.settings import SelfDistillSettings, SemSADSettings

__all__ = ["PRESETS", "Judgement", "SelfDistillSettings", "SemSADSettings", "Trained", "train"]

_HOMES = {
    "Judgement": "judging",
    "PRESETS": "presets",
    "SelfDistillSettings": "settings",
    "SemSADSettings": "settings",
    "Trained": "running",
    "train": "running",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'oodkit.training' has no attribute {name!r}")
    return getattr(import_module(f"oodkit.training.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
