"""Clustering heads of TEMI, any number of them side by side: each product is taken for all heads at once."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import gelu, normalize

HIDDEN, CODE = 512, 256  # widths of the two layers before the last
TEMPERATURE = 0.1
INITIAL_SPREAD = 0.02  # standard deviation of initial weights, cut off at two of them


@dataclass(frozen=True)
class Heads:
    """H heads from D features to C clusters: two layers, then the cosine with one direction per cluster.

    Attributes:
        first: (H, D, HIDDEN); first_bias: (H, 1, HIDDEN).
        second: (H, HIDDEN, CODE); second_bias: (H, 1, CODE).
        last: (H, CODE, C) directions of the clusters, of any length; gain: (H, 1, C) what their cosines are scaled by.
    """

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    last: Tensor
    gain: Tensor

    @classmethod
    def draw(cls, heads: int, width: int, clusters: int, generator: torch.Generator) -> Self:
        """Heads as they are before training, float32, on the generator's device."""

        def normal(*shape: int) -> Tensor:
            weights = torch.empty(shape, device=generator.device)
            bound = 2 * INITIAL_SPREAD
            return torch.nn.init.trunc_normal_(weights, 0, INITIAL_SPREAD, -bound, bound, generator=generator)

        zeros = torch.zeros(heads, 1, HIDDEN + CODE, device=generator.device)
        return cls(
            first=normal(width, heads, HIDDEN).transpose(0, 1).contiguous(),
            first_bias=zeros[..., :HIDDEN].clone(),
            second=normal(heads, HIDDEN, CODE),
            second_bias=zeros[..., HIDDEN:].clone(),
            last=normal(heads, CODE, clusters),
            gain=torch.ones(heads, 1, clusters, device=generator.device),
        )

    def log_probabilities(self, x: Tensor) -> Tensor:  # (B, D) -> (H, B, C)
        """Log-probabilities of the clusters: log softmax of gain times cosine over the temperature.

        Products are taken in the dtype of x, the rest in float32.
        """
        dtype = x.dtype
        rows = x.expand(len(self.first), *x.shape)
        hidden = gelu(torch.baddbmm(self.first_bias.to(dtype), rows, self.first.to(dtype)))
        code = normalize(torch.baddbmm(self.second_bias.to(dtype), hidden, self.second.to(dtype)).float(), dim=2)
        directions = normalize(self.last, dim=1) * (self.gain / TEMPERATURE)
        return torch.bmm(code.to(dtype), directions.to(dtype)).float().log_softmax(dim=2)

    def part(self, which: slice) -> Self:
        """Some of the heads, in the same memory."""
        return type(self)(**{name: tensor[which] for name, tensor in self.tensors().items()})

    def one(self, head: int) -> Self:
        """One of the heads, in memory of its own."""
        return self.part(slice(head, head + 1)).copy()

    def copy(self) -> Self:
        """The same in memory of its own."""
        return type(self)(**{name: tensor.detach().clone() for name, tensor in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
