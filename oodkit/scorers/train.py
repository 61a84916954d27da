"""What a scorer is fitted on: the features, and what it needs besides them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import torch
from torch import Tensor

from oodkit.errors import InvalidInput, TooFewSamples, nearest_names
from oodkit.scorers.head import Head, read_head
from oodkit.scorers.rows import as_labels, as_tensor, check_finite, floating, is_mapped
from oodkit.scorers.unit_rows import check_unit_rows

__all__ = ["HOW_TO_GIVE", "Head", "Need", "Train", "make_train"]


class Need(StrEnum):
    """What a scorer needs besides features.

    All but LOGITS are keywords of `fit`. LOGITS says what the features are: a classifier's logits, (N, C), both in
    `fit` and in scoring; or features, where `fit` is given the `head` whose logits are meant. With TEXT, OUT_TEXT,
    CAPTIONS or NEGATIVES the features are those of the joint image-text space.
    """

    LABELS = "labels"
    HEAD = "head"
    LOGITS = "logits"
    TEXT = "text"
    OUT_TEXT = "out_text"
    CAPTIONS = "captions"
    NEGATIVES = "negatives"
    VIEWS = "views"
    AUX = "aux"


HOW_TO_GIVE = {
    Need.LABELS: "(N,) class labels: fit(features, labels)",
    Need.HEAD: "the classifier's linear layer: fit(features, head=(weight, bias)), shapes (C, D) and (C,)",
    Need.TEXT: "text embeddings of the class names: fit(features, text=embeddings), shape (C, D)",
    Need.OUT_TEXT: "text embeddings of the names of OOD classes: fit(features, out_text=embeddings), shape (M, D)",
    Need.CAPTIONS: "embeddings of captions of in-distribution images: fit(features, captions=embeddings), shape (M, D)",
    Need.NEGATIVES: "embeddings of negative texts or images: fit(features, negatives=embeddings), shape (M, D)",
    Need.VIEWS: "features of views of the same images: fit(features, views=features), shape (V, N, D)",
    Need.AUX: "features of an auxiliary set that is not in-distribution: fit(features, aux=features), shape (A, D)",
}


@dataclass(frozen=True)
class Train:
    """What `_fit` gets; checked, on one device, to be read and never written to.

    Attributes:
        features: (N, D) float16, bfloat16, float32 or float64; as they lie in the file where `mapped`.
        mapped: whether `features` lie in a memory-mapped file: keep a reference, never a copy.
        labels, head, text, out_text, captions, negatives, views, aux: set if the scorer's `needs` or `optional` name
            them, else None.
        unit_features: whether the head stands for rows of length 1, as the zero-shot head does; then these are.
    """

    features: Tensor  # (N, D)
    mapped: bool = False
    labels: Tensor | None = None  # (N,) int64
    head: Head | None = None
    text: Tensor | None = None  # (C, D)
    out_text: Tensor | None = None  # (M, D)
    captions: Tensor | None = None  # (M, D)
    negatives: Tensor | None = None  # (M, D)
    views: Tensor | None = None  # (V, N, D), in the order of the scorer's view_names()
    aux: Tensor | None = None  # (1 + W, A, D): as they are, then the views of the scorer's aux_view_names()
    unit_features: bool = False


def make_train(scorer: str, wanted: frozenset[Need], features: Any, given: Mapping[str, Any]) -> Train:
    """Check everything that a fit was given.

    Args:
        scorer: name of the scorer's class, for messages.
        wanted: what it needs or can use; the rest of `given` is left out.
        features: (N, D) features in any form.
        given: the other arguments of `fit` by name; None stands for not given.

    Raises:
        InvalidInput: an unknown name, a wrong shape, values that are not finite, labels that are not integers,
            rows of another length than 1 beside a head that stands for such.
        TooFewSamples: no rows.
    """
    known = [need.value for need in Need if need is not Need.LOGITS]
    for name in given:
        if name not in known:
            near = nearest_names(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"
            raise InvalidInput(f"fit of {scorer} takes no {name!r}; {hint}")
    rows = as_tensor(features, "features")
    if len(rows) == 0:
        raise TooFewSamples(f"features has 0 sample(s) (shape={tuple(rows.shape)}), {scorer} needs at least 1")
    check_finite(rows, "features")
    mapped = is_mapped(features)
    half = rows.dtype in (torch.float16, torch.bfloat16)
    taken = {name: value for name, value in given.items() if name in wanted and value is not None}
    read = {name: _READERS[Need(name)](value, rows) for name, value in taken.items()}
    unit = bool(getattr(taken.get(Need.HEAD.value), "unit_features", False))
    if unit:
        check_unit_rows(rows, "features")
    return Train(rows if mapped or half else floating(rows), mapped=mapped, unit_features=unit, **read)


def _labels(value: Any, rows: Tensor) -> Tensor:
    return as_labels(value, len(rows)).to(rows.device)


def _head(value: Any, rows: Tensor) -> Head:
    weight, bias = read_head(value)
    if weight.shape[1] != rows.shape[1]:
        shape = tuple(weight.shape)
        raise InvalidInput(f"head weight must have shape (C, {rows.shape[1]}) for these features, got {shape}")
    return Head(weight.to(rows.device), bias.to(rows.device))


def _matrix(value: Any, rows: Tensor, name: str) -> Tensor:
    matrix = as_tensor(value, name)
    width = rows.shape[1]
    if len(matrix) == 0 or matrix.shape[1] != width:
        raise InvalidInput(f"{name} must have shape (M, {width}), M >= 1, got {tuple(matrix.shape)}")
    check_finite(matrix, name)
    return floating(matrix).to(rows.device)


def _views(value: Any, rows: Tensor) -> Tensor:
    views = as_tensor(value, "views", ndim=3)
    if views.shape[1:] != rows.shape:
        count, width = rows.shape
        raise InvalidInput(f"views must have shape (V, {count}, {width}) as features, got {tuple(views.shape)}")
    check_finite(views, "views")
    return floating(views).to(rows.device)


def _aux(value: Any, rows: Tensor) -> Tensor:
    aux = value if getattr(value, "ndim", 3) == 3 else as_tensor(value, "aux")[None]
    aux = as_tensor(aux, "aux", ndim=3)
    width = rows.shape[1]
    if 0 in aux.shape or aux.shape[2] != width:
        raise InvalidInput(f"aux must have shape (A, {width}) or (1 + W, A, {width}), A >= 1, got {tuple(aux.shape)}")
    check_finite(aux, "aux")
    return floating(aux).to(rows.device)


_READERS: dict[Need, Callable[[Any, Tensor], Any]] = {
    Need.LABELS: _labels,
    Need.HEAD: _head,
    Need.TEXT: partial(_matrix, name="text"),
    Need.OUT_TEXT: partial(_matrix, name="out_text"),
    Need.CAPTIONS: partial(_matrix, name="captions"),
    Need.NEGATIVES: partial(_matrix, name="negatives"),
    Need.VIEWS: _views,
    Need.AUX: _aux,
}
