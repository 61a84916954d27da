"""Batch normalisation by the statistics of all processes' images, so that several compute what one does."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import batch_norm
from torch.overrides import TorchFunctionMode

from oodkit.training.world import World


def shared_statistics(world: World) -> AbstractContextManager[Any]:
    """Let networks in training take means and variances over the images of all processes, which have equally many."""
    return nullcontext() if world.size == 1 else _SharedStatistics(world)


class _SharedStatistics(TorchFunctionMode):
    """On any device, whatever module normalises; torch's own synchronised layer is for GPUs alone."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        return self._normalised(*args, **kwargs) if func is batch_norm else func(*args, **kwargs)

    def _normalised(
        self,
        images: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:  # (B, C, ...) -> the same
        if not training:
            return batch_norm(images, running_mean, running_var, weight, bias, training, momentum, eps)
        exact = images.float()
        others = [dim for dim in range(images.ndim) if dim != 1]
        mean = self.world.shared_mean(exact.mean(dim=others, keepdim=True))
        variance = self.world.shared_mean((exact - mean).square().mean(dim=others, keepdim=True))
        count = self.world.size * images.numel() // images.shape[1]
        with torch.no_grad():
            if running_mean is not None:
                running_mean.lerp_(mean.flatten(), momentum)
            if running_var is not None:
                running_var.lerp_(variance.flatten() * (count / max(1, count - 1)), momentum)
        found = (exact - mean) * (variance + eps).rsqrt()
        if weight is not None:
            found = found * weight.view_as(mean)
        if bias is not None:
            found = found + bias.view_as(mean)
        return found.to(images.dtype)
