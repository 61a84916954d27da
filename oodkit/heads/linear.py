"""A linear head: embeddings to logits, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from oodkit.errors import InvalidInput
from oodkit.heads.prompts import texts_of
from oodkit.scorers.head import checked_head, read_head
from oodkit.scorers.rows import as_tensor, check_finite, floating
from oodkit.scorers.unit_rows import unit_rows

CHUNK_BYTES = 16 * 2**20  # features that are looked at at once


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A linear classifier over features; `Scorer.fit` takes it as `head`.

    Attributes:
        weight: (C, D) float32 or float64.
        bias: (C,) of the same dtype.
        class_names: C names in the order of the logits, or None where they are not known.
        notes: what the user should know about it, one plain statement each.
        unit_features: whether the head stands for features of length 1. `logits` scales them itself; a scorer that is
            given the head refuses others.
    """

    weight: Tensor
    bias: Tensor
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    unit_features: bool = False

    def __post_init__(self) -> None:
        """Take any array-like weight and bias, and refuse what does not fit together."""
        weight, bias = checked_head(self.weight, self.bias)
        names, count = names_of(self.class_names), len(weight)
        if names is not None and len(names) != count:
            raise InvalidInput(f"the head has {count} classes, but {len(names)} class names were given")
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "bias", bias)
        object.__setattr__(self, "class_names", names)

    def logits(self, features: Any) -> Any:
        """Logits of features, in memory that grows with the result alone.

        Args:
            features: (N, D) in any form that a scorer takes, also memory-mapped. A tensor that requires gradients
                gives logits that do.

        Returns:
            (N, C): a tensor on its device for a tensor, else a NumPy array; float64 for float64 features, else float32.

        Raises:
            InvalidInput: another width, or NaN or infinity.
        """
        rows = as_tensor(features, "features")
        width = self.weight.shape[1]
        if rows.shape[1] != width:
            raise InvalidInput(f"features must have shape (N, {width}) for this head, got {tuple(rows.shape)}")
        check_finite(rows, "features")
        if isinstance(features, Tensor):
            return self._apply(floating(features)) if features.requires_grad else self._in_chunks(rows)
        found: NDArray[np.floating] = self._in_chunks(rows).numpy()
        return found

    def _in_chunks(self, rows: Tensor) -> Tensor:
        sample = floating(rows[:0])
        logits = sample.new_empty(len(rows), len(self.weight))
        per_chunk = max(1, CHUNK_BYTES // (rows.shape[1] * sample.element_size()))
        with torch.no_grad():
            for part, out in zip(torch.split(rows, per_chunk), torch.split(logits, per_chunk), strict=True):
                out.copy_(self._apply(floating(part)))
        return logits

    def _apply(self, x: Tensor) -> Tensor:
        x = unit_rows(x) if self.unit_features else x
        return functional.linear(x, self.weight.to(x), self.bias.to(x))


def as_linear_head(head: Any) -> LinearHead:
    """A head of (weight, bias), where a bias of None is 0, of an `nn.Linear`, or as it is.

    Raises:
        InvalidInput: it is none of these.
    """
    return head if isinstance(head, LinearHead) else LinearHead(*read_head(head))


@overload
def names_of(class_names: None) -> None: ...
@overload
def names_of(class_names: Sequence[str]) -> tuple[str, ...]: ...
def names_of(class_names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Class names as a head keeps them; raises InvalidInput for a text alone, or what is no list of texts."""
    return None if class_names is None else texts_of(class_names, "class names")
