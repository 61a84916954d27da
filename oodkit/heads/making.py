"""Heads by name: what each is made from, and the few lines that make it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oodkit.errors import InvalidInput
from oodkit.heads.linear import LinearHead, as_linear_head, names_of
from oodkit.heads.probe import fit_probe
from oodkit.heads.prompts import PROMPT_ENSEMBLE
from oodkit.heads.pseudo_label_probe import fit_pseudo_label_probe
from oodkit.heads.zero_shot import EmbedText, class_text_embeddings, zero_shot_head


@dataclass(frozen=True)
class Ingredients:
    """What a head can be made from; what is not at hand is None.

    Attributes:
        features: (N, D) features of the in-distribution train images.
        labels: (N,) integers 0..C-1.
        class_names: C names in label order.
        classifier: the backbone's own linear layer over `features`, with `.weight` and `.bias`.
        joint: (N, J) embeddings of the same images in the joint image-text space, in the same order.
        embed_text: texts -> (T, J) embeddings of the joint space.
        prompts: for text heads.
        clean_names: write underscores in names as spaces.
        scale: logit scale of the zero-shot head; None for cosines.
        settings: for the probes, such as `{"epochs": 20}`.
    """

    features: Any = None
    labels: Any = None
    class_names: Sequence[str] | None = None
    classifier: Any = None
    joint: Any = None
    embed_text: EmbedText | None = None
    prompts: Sequence[str] = PROMPT_ENSEMBLE
    clean_names: bool = False
    scale: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


MakeHead = Callable[[Ingredients], LinearHead]

_MISSING = {
    "features": "features of train images",
    "labels": "class labels; give a data set that has them",
    "class_names": "class names; give a data set that has them",
    "classifier": "a backbone with a classifier of its own",
    "joint": "a backbone with a joint image-text space, such as one of open_clip",
    "embed_text": "a backbone with a text tower, such as one of open_clip",
}


def backbone(given: Ingredients) -> LinearHead:
    """The backbone's own classifier; acts on `features`. The names of its classes are not those of the data."""
    _need("backbone", given, "classifier")
    return as_linear_head(given.classifier)


def probe(given: Ingredients) -> LinearHead:
    """A linear probe on the true labels; acts on `features`."""
    _need("probe", given, "features", "labels")
    return fit_probe(given.features, given.labels, **_classes(given), **given.settings)


def pseudo_label_probe(given: Ingredients) -> LinearHead:
    """A linear probe on what the zero-shot head says of the train images; acts on `features`."""
    _need("pseudo_label_probe", given, "features", "joint", "class_names", "embed_text")
    logits = zero_shot(given).logits(given.joint)
    return fit_pseudo_label_probe(given.features, logits, true_labels=given.labels, **_classes(given), **given.settings)


def zero_shot(given: Ingredients) -> LinearHead:
    """The zero-shot head of the class names; acts on embeddings of the joint space, with length 1."""
    _need("zero_shot", given, "class_names", "embed_text")
    assert given.embed_text is not None
    assert given.class_names is not None
    text = class_text_embeddings(given.embed_text, given.class_names, given.prompts, clean_names=given.clean_names)
    return zero_shot_head(text, scale=given.scale, class_names=given.class_names)


def _classes(given: Ingredients) -> dict[str, Any]:
    return {} if given.class_names is None else {"classes": names_of(given.class_names)}


def _need(head: str, given: Ingredients, *names: str) -> None:
    for name in names:
        if getattr(given, name) is None:
            raise InvalidInput(f"the head {head!r} needs {_MISSING[name]}")
