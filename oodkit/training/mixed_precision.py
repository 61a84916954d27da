"""Mixed precision in training, without the convolutions that it breaks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Precision = Literal["fp32", "bf16"]


@contextmanager
def mixed(device: torch.device, precision: Precision) -> Iterator[None]:
    """Compute networks in bfloat16 where that is safe, or everything in float32.

    On CPUs, the gradient by the weights of a convolution whose stride is larger than its map, as small images meet in
    the last layers of a network, is arbitrary memory in bfloat16; these are computed in float32.
    """
    if precision == "fp32":
        yield
        return
    with torch.autocast(device.type, torch.bfloat16):
        if device.type != "cpu":
            yield
            return
        with _WideStrides():
            yield


class _WideStrides(TorchFunctionMode):
    """Computes convolutions with a stride beyond their map in float32."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        plain = func is not torch.conv2d or not _beyond_map(*args, **kwargs)
        if plain:
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            return func(*(part.float() if isinstance(part, Tensor) else part for part in args), **kwargs)


def _beyond_map(pixels: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, *rest: Any) -> bool:
    strides = (stride, stride) if isinstance(stride, int) else tuple(stride)
    return any(step > side for step, side in zip(strides, pixels.shape[-2:], strict=True))
