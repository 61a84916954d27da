"""The zero-shot head of an image-text model: cosines of images with the texts of the classes (Radford et al., 2021)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.heads.linear import LinearHead, names_of
from oodkit.heads.prompts import PROMPT_ENSEMBLE, fill_prompts
from oodkit.scorers.checks import check_positive
from oodkit.scorers.rows import as_tensor, check_finite, floating
from oodkit.scorers.unit_rows import unit_rows

EmbedText = Callable[[Sequence[str]], Any]


def zero_shot_head(text: Any, *, scale: float | None = None, class_names: Sequence[str] | None = None) -> LinearHead:
    """A head whose logits are the cosines of an image with each class's text, times the logit scale.

    The scale changes neither the class nor max-logit's order, but that of softmax scores: without it they are those of
    MCM, with the model's own (about 100 for CLIP) those of its classifier.

    Args:
        text: (C, J) text embeddings of the classes, of any length but 0, as `class_text_embeddings` gives them.
        scale: what cosines are multiplied by; None for 1.
        class_names: C names, to be kept with the head.

    Returns:
        A head for image embeddings (N, J) of the joint space with length 1; `logits` brings them to it.

    Raises:
        InvalidInput: a text embedding of zeros, values that are not finite, or a scale that is not positive.
    """
    if scale is not None:
        check_positive("scale", scale)
    rows = floating(as_tensor(text, "text"))
    check_finite(rows, "text")
    _check_not_zero(rows, "text", range(len(rows)))
    weight = unit_rows(rows.double()) * (1.0 if scale is None else scale)
    return LinearHead(
        weight.to(rows.dtype), weight.new_zeros(len(weight)), class_names=names_of(class_names), unit_features=True
    )


def class_text_embeddings(
    embed_text: EmbedText,
    class_names: Sequence[str],
    prompts: Sequence[str] = PROMPT_ENSEMBLE,
    *,
    clean_names: bool = False,
) -> Tensor:
    """One text embedding per class: every prompt's is brought to length 1, their mean is too.

    Args:
        embed_text: texts -> (T, J) embeddings of the joint space; called once, with all texts.
        class_names: different names, none empty.
        prompts: sentences with `{}` where the name belongs.
        clean_names: write underscores in names as spaces.

    Returns:
        (C, J) float32 rows of length 1.

    Raises:
        InvalidInput: prompts or names that cannot be used, or embeddings that are not (T, J), finite and not zero.
    """
    filled = fill_prompts(class_names, prompts, clean_names=clean_names)
    texts = [text for of_class in filled for text in of_class]
    rows = as_tensor(embed_text(texts), "text embeddings")
    if len(rows) != len(texts):
        raise InvalidInput(f"{len(texts)} texts were given to the text tower, but it gave {len(rows)} embeddings")
    check_finite(rows, "text embeddings")
    _check_not_zero(rows, "text embeddings", texts)
    unit = unit_rows(rows.double()).view(len(filled), -1, rows.shape[1])  # (C, P, J)
    means = unit.mean(dim=1)
    _check_not_zero(means, "means of text embeddings", class_names)
    return unit_rows(means).to(torch.float32)


def _check_not_zero(rows: Tensor, name: str, called: Sequence[Any]) -> None:
    zero = (rows == 0).all(dim=1)
    if bool(zero.any()):
        first = called[int(zero.nonzero()[0])]
        raise InvalidInput(f"{name} must not be zero, but that of {first!r} is: it has no direction; check the texts")
