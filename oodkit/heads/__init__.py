"""Heads: embeddings to logits.

`heads` is the registry of what `make_head` makes; looking at it, or importing this package, imports no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oodkit.registry import Entry, Registry

if TYPE_CHECKING:
    from oodkit.heads.linear import LinearHead, as_linear_head
    from oodkit.heads.making import Ingredients
    from oodkit.heads.negatives import mine_negatives
    from oodkit.heads.probe import fit_probe
    from oodkit.heads.prompts import PROMPT_ENSEMBLE, SINGLE_PROMPT
    from oodkit.heads.pseudo_label_probe import PseudoLabelProbe, fit_pseudo_label_probe
    from oodkit.heads.zero_shot import class_text_embeddings, zero_shot_head

__all__ = [
    "PROMPT_ENSEMBLE",
    "SINGLE_PROMPT",
    "Ingredients",
    "LinearHead",
    "PseudoLabelProbe",
    "as_linear_head",
    "class_text_embeddings",
    "fit_probe",
    "fit_pseudo_label_probe",
    "heads",
    "make_head",
    "mine_negatives",
    "zero_shot_head",
]

_MODULES = {
    "linear": ["LinearHead", "as_linear_head"],
    "making": ["Ingredients"],
    "negatives": ["mine_negatives"],
    "probe": ["fit_probe"],
    "prompts": ["PROMPT_ENSEMBLE", "SINGLE_PROMPT"],
    "pseudo_label_probe": ["PseudoLabelProbe", "fit_pseudo_label_probe"],
    "zero_shot": ["class_text_embeddings", "zero_shot_head"],
}
_LAZY = {name: f"oodkit.heads.{module}" for module, names in _MODULES.items() for name in names}

heads = Registry(
    "head",
    {
        "backbone": Entry(
            "oodkit.heads.making:backbone",
            summary="the backbone's own classifier",
            needs="classifier",
            cost="none",
        ),
        "probe": Entry(
            "oodkit.heads.making:probe",
            summary="linear probe: softmax regression on standardised features",
            needs="labels",
            source="settings of Adaloglou et al., 2023",
            cost="100 epochs over the features",
        ),
        "pseudo_label_probe": Entry(
            "oodkit.heads.making:pseudo_label_probe",
            summary="linear probe on the labels that the zero-shot head gives",
            needs="class names, text tower",
            source="Adaloglou et al., 2023",
            cost="100 epochs over the features",
        ),
        "zero_shot": Entry(
            "oodkit.heads.making:zero_shot",
            summary="cosines with the texts of the class names, in the joint image-text space",
            needs="class names, text tower",
            source="Radford et al., ICML 2021",
            cost="a text per class and prompt",
        ),
    },
    group="oodkit.heads",
)


def make_head(name: str, given: "Ingredients") -> "LinearHead":
    """A head by its registry name.

    Args:
        name: such as "probe"; `heads` lists all.
        given: what is at hand.

    Raises:
        UnknownName: no such head; the message has the nearest names.
        InvalidInput: what the head needs is not at hand, or cannot be used.
    """
    head: LinearHead = heads.load(name)(given)
    return head


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
