"""What a user may give besides sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oodkit.data.captions import Captions
from oodkit.data.words import Words
from oodkit.heads import PROMPT_ENSEMBLE


@dataclass(frozen=True)
class Extras:
    """What heads and texts are made of.

    Attributes:
        head: registry name of a head, or a head: a `LinearHead`, (weight, bias) or an `nn.Linear`, over features; None
            for the first that is at hand of the backbone's own classifier (where it has as many classes as the in-set),
            a probe on the labels, the zero-shot head, and any classifier.
        prompts: for text heads and text scorers.
        class_names: in label order, in place of the data set's.
        captions: of in-distribution images, for `caption`; by file name, those of the fit images are used.
        negatives: words to mine negatives from; None for those of WordNet.
        out_names: names of the OOD classes, for `in_out_names`; None for the out-set's own.
        logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
        clean_names: whether underscores in class names become spaces; published results keep them.
    """

    head: Any = None
    prompts: Sequence[str] = PROMPT_ENSEMBLE
    class_names: Sequence[str] | None = None
    captions: Captions | None = None
    negatives: Words | None = None
    out_names: Sequence[str] | None = None
    logit_scale: bool = False
    clean_names: bool = False
