"""The head that is distilled: two layers to a code of length 1, then one scaled cosine per output."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import gelu

from oodkit.scorers.unit_rows import unit_rows

INITIAL_SPREAD = 0.02  # standard deviation of initial weights, cut off at two of them


@dataclass(frozen=True)
class DistillationHead:
    """From rows (B, d) to codes (B, c) and logits (B, K), which start within -1 and 1.

    Attributes:
        weight1, bias1: (d, h) and (h,), the first layer.
        weight2, bias2: (h, c) and (c,), the second.
        weight3, gain3: (c, K) directions of the outputs, of any length, and (K,) what their cosines are scaled by.
    """

    weight1: Tensor
    bias1: Tensor
    weight2: Tensor
    bias2: Tensor
    weight3: Tensor
    gain3: Tensor

    @classmethod
    def drawn(cls, width: int, hidden: int, code: int, outputs: int, generator: torch.Generator) -> Self:
        """A head before training, float32."""

        def normal(*shape: int) -> Tensor:
            bound = 2 * INITIAL_SPREAD
            return torch.nn.init.trunc_normal_(torch.empty(shape), 0, INITIAL_SPREAD, -bound, bound, generator)

        return cls(
            weight1=normal(width, hidden),
            bias1=torch.zeros(hidden),
            weight2=normal(hidden, code),
            bias2=torch.zeros(code),
            weight3=normal(code, outputs),
            gain3=torch.ones(outputs),
        )

    def codes(self, x: Tensor) -> Tensor:
        """Codes of length 1, in the dtype of x."""
        w1, b1, w2, b2 = (part.to(x.dtype) for part in (self.weight1, self.bias1, self.weight2, self.bias2))
        return unit_rows(torch.addmm(b2, gelu(torch.addmm(b1, x, w1)), w2))

    def outputs(self, codes: Tensor) -> Tensor:
        """Logits of codes."""
        directions = unit_rows(self.weight3.T).T * self.gain3
        return codes @ directions.to(codes.dtype)

    def logits(self, x: Tensor) -> Tensor:
        """Logits of rows."""
        return self.outputs(self.codes(x))

    def copy(self) -> Self:
        """The same in memory of its own, without gradients."""
        return type(self)(**{name: part.detach().clone() for name, part in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
