"""Arrays and tensors as images: what shapes and values are understood, and what is refused as ambiguous."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oodkit.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}
_ARRAYS = "arrays are (H, W), (H, W, C) or (N, H, W, C)"
_TENSORS = "tensors are (C, H, W) or (B, C, H, W)"


@dataclass(frozen=True, eq=False)
class PixelArray:
    """One image in memory, converted when it is asked for.

    Attributes:
        values: array (H, W) or (H, W, C), or tensor (C, H, W); uint8, or floats in [0, 1].
    """

    values: Any

    def image(self) -> Image.Image:
        """As 8-bit; floats are multiplied by 255 and rounded."""
        values = self.values
        if _is_tensor(values):
            values = values.detach().cpu().permute(1, 2, 0)
            values = (values if values.dtype == _torch().uint8 else values.double()).numpy()
        if values.dtype != np.uint8:
            values = np.rint(values.astype(np.float64) * 255).astype(np.uint8)
        return Image.fromarray(np.ascontiguousarray(values[:, :, 0] if values.shape[2:] == (1,) else values))


def is_pixels(value: object) -> "TypeGuard[NDArray[Any] | Tensor]":
    """Whether it is an array or a tensor of numbers; arrays of text or objects, such as paths, are not."""
    return _is_tensor(value) or (isinstance(value, np.ndarray) and value.dtype.kind not in "USO")


def pixel_arrays(values: "NDArray[Any] | Tensor", name: str = "images") -> tuple[list[PixelArray], str]:
    """The images of an array or tensor, and how it was understood in words.

    Args:
        values: an array (H, W), (H, W, C) or (N, H, W, C), or a tensor (C, H, W) or (B, C, H, W), with C of 1, 3 or 4;
            uint8, or floats in [0, 1], not normalised.
        name: what messages call it.

    Raises:
        InvalidInput: another shape, or one that could be read in two ways; another type, or other values.
    """
    shape, tensor = tuple(values.shape), _is_tensor(values)
    known, batched = _TENSORS if tensor else _ARRAYS, len(shape) == 4
    one = shape[1:] if batched else shape
    grey = not tensor and len(shape) == 2
    channels = 1 if grey else one[0 if tensor else -1] if len(one) == 3 else 0
    if channels not in _CHANNELS or 0 in shape:
        raise InvalidInput(f"{name} of shape {shape} cannot be images: {known}{_hint(one, tensor)}")
    if len(one) == 3 and one[-1 if tensor else 0] in _CHANNELS:
        raise InvalidInput(
            f"{name} of shape {shape} could have channels first or last; {known}: give such small images as Pillow's"
        )
    _check_values(values, name, flat=grey)
    height, width = one[1:] if tensor else one[:2]
    letters = "C, H, W" if tensor else "H, W" if grey else "H, W, C"
    letters = f"{'B' if tensor else 'N'}, {letters}" if batched else letters
    count = f"{len(values):,} {_CHANNELS[channels]} images" if batched else f"one {_CHANNELS[channels]} image"
    kind = f"{'tensor' if tensor else 'array'} ({letters}) of {str(values.dtype).removeprefix('torch.')}"
    parts = [PixelArray(part) for part in values] if batched else [PixelArray(values)]
    return parts, f"{count} of {width} x {height} px, {kind}"


def _check_values(values: Any, name: str, flat: bool) -> None:
    dtype = str(values.dtype).removeprefix("torch.")
    if dtype == "uint8":
        return
    if "float" not in dtype:
        raise InvalidInput(f"{name} must be uint8 or floats in [0, 1], got {dtype}; convert them first")
    if flat:
        raise InvalidInput(
            f"{name} of shape {tuple(values.shape)} and {dtype} could be a grey image or features: give (H, W, 1) for "
            "an image, or features to score_features"
        )
    plain = values.detach() if _is_tensor(values) else values
    low, high = float(plain.min()), float(plain.max())
    if not (low >= 0 and high <= 1):  # NaN is refused too
        told = "divide by 255" if low >= 0 and high <= 255 else "give them as they are before normalisation"
        raise InvalidInput(f"{name} of {dtype} must lie in [0, 1], got {low:.4g} to {high:.4g}; {told}")


def _hint(one: tuple[int, ...], tensor: bool) -> str:
    if len(one) == 3 and one[-1 if tensor else 0] in _CHANNELS:
        order, call = ("last", "permute") if tensor else ("first", "transpose")
        axes = "(2, 0, 1)" if tensor else "(1, 2, 0)"
        return f"; these seem to have channels {order}: use .{call}{axes} on each"
    return ""


def _is_tensor(value: object) -> "TypeGuard[Tensor]":
    torch = _torch()
    return torch is not None and isinstance(value, torch.Tensor)


def _torch() -> Any:
    """The module, if somebody has imported it: without it there are no tensors."""
    return sys.modules.get("torch")
