"""The head that self-distillation compares images by: three layers to a code of length 1, then cosines."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

_SPREAD = 0.02  # standard deviation of initial weights


class ProjectionHead(nn.Module):
    """From features (B, D) to logits (B, K), which start within -1 and 1.

    Args:
        width: D.
        hidden: units of the two hidden layers.
        code: width of the code.
        outputs: K.
    """

    def __init__(self, width: int, hidden: int, code: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, code)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=_SPREAD)
                nn.init.zeros_(layer.bias)
        self.directions = nn.Parameter(torch.empty(outputs, code).uniform_(-1, 1))
        self.gains = nn.Parameter(torch.ones(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Logits of features."""
        codes = normalize(self.layers(features), dim=-1)
        return linear(codes, normalize(self.directions, dim=-1) * self.gains[:, None])

    @property
    def last_layer(self) -> tuple[nn.Parameter, nn.Parameter]:
        """Directions (K, code) and gains (K,) of the outputs."""
        return self.directions, self.gains
