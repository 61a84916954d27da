"""What a family of backbones hands over: a module that gives features, and what belongs to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from oodkit.backbones.preprocessing import Preprocessing


@dataclass(frozen=True)
class Network:
    """An architecture with its weights, and how images go in.

    Attributes:
        module: normalised pixels (B, 3, H, W) -> features (B, D).
        preprocessing: how images become pixels.
        architecture: names the family, model, options and feature layer; part of the fingerprint.
        classifier: features (B, D) -> logits (B, C), or None.
        project: features (B, D) -> image embeddings (B, J) of a joint image-text space, not normalised; or None.
        encode_text: texts -> embeddings (T, J) of the joint space, not normalised; or None.
        text_state: what `encode_text` computes with, as far as it is not in `module`; part of the text fingerprint.
        logit_scale: what the model multiplies cosines of images and texts by; None where it has no such number.
    """

    module: nn.Module
    preprocessing: Preprocessing
    architecture: str
    classifier: nn.Linear | None = None
    project: Callable[[Tensor], Tensor] | None = None
    encode_text: Callable[[Sequence[str]], Tensor] | None = None
    text_state: Mapping[str, Tensor] | None = None
    logit_scale: float | None = None
