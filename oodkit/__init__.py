"""Out-of-distribution detection for images: backbones, scorers, exact metrics, reproducible evaluations.

Names load lazily: `import oodkit` itself imports neither torch nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from oodkit import backbones, clustering, data, embedding, evaluation, heads, metrics, scorers, views
    from oodkit.backbones import list_backbones, load_backbone
    from oodkit.data import load_dataset
    from oodkit.detector import Detector
    from oodkit.embedding import Embeddings, embed
    from oodkit.evaluation import evaluate

__all__ = [
    "Detector",
    "Embeddings",
    "__version__",
    "backbones",
    "clustering",
    "data",
    "embed",
    "embedding",
    "evaluate",
    "evaluation",
    "heads",
    "list_backbones",
    "load_backbone",
    "load_dataset",
    "metrics",
    "scorers",
    "views",
]

_HOMES = {
    "Detector": "oodkit.detector",
    "Embeddings": "oodkit.embedding",
    "embed": "oodkit.embedding",
    "evaluate": "oodkit.evaluation",
    "list_backbones": "oodkit.backbones",
    "load_backbone": "oodkit.backbones",
    "load_dataset": "oodkit.data",
}
_PACKAGES = ("backbones", "clustering", "data", "embedding", "evaluation", "heads", "metrics", "scorers", "views")


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("oodkit-vision")
    if name in _PACKAGES:
        return import_module(f"oodkit.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'oodkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
