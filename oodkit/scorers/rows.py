"""Features as a tensor over the caller's own memory, and the checks that every scorer makes of them."""

import mmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from oodkit.errors import InvalidInput

CHECK_BYTES = 16 * 2**20  # how much is looked at at once when a whole array is checked


def as_tensor(values: Any, name: str, ndim: int = 2) -> Tensor:
    """The values as a tensor with `ndim` axes, without a copy where NumPy and torch can share the memory.

    A read-only or memory-mapped array is shared as well, so the result must never be written to.

    Args:
        values: NumPy array, tensor, anything with `__array__`, or nested lists of numbers.
        name: what messages call it, such as "features".
        ndim: number of axes that it must have; the last one, the features, must not be empty.

    Returns:
        A detached tensor of any real dtype, on the device of the values.

    Raises:
        InvalidInput: sparse, complex, not numeric, another number of axes, or no features.
        TypeError: an element is not a number at all.
    """
    tensor = values.detach() if isinstance(values, Tensor) else _share(_numeric_array(values, name))
    if tensor.is_complex():
        raise InvalidInput(f"Complex data not supported: {name} has dtype {tensor.dtype}; take its real part")
    if tensor.layout != torch.strided:
        raise InvalidInput(f"{name} is sparse, which no scorer takes; call to_dense() first")
    if tensor.ndim != ndim:
        axes = ", ".join(("V", "N", "D")[-ndim:])
        hint = "; Reshape your data to (1, D) if it is one row" if tensor.ndim == ndim - 1 else ""
        raise InvalidInput(f"{name} must have shape ({axes}), got {tuple(tensor.shape)}{hint}")
    if tensor.shape[-1] == 0:
        shape = tuple(tensor.shape)
        raise InvalidInput(f"{name} has 0 feature(s) (shape={shape}) while a minimum of 1 is required.")
    return tensor


def is_mapped(values: Any) -> bool:
    """Whether the values lie in a memory-mapped file."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap):
            return True
        values = values.base
    return isinstance(values, mmap.mmap)


def floating(values: Tensor) -> Tensor:
    """The values in the dtype that scorers compute in: float64 stays, wide integers become it, all else float32."""
    exact = values.dtype in (torch.float64, torch.int32, torch.int64, torch.uint32, torch.uint64)
    return values.to(torch.float64 if exact else torch.float32)


def check_finite(rows: Tensor, name: str) -> None:
    """Raise InvalidInput that counts the rows with NaN or infinity and names the first.

    Args:
        rows: (N, D) or (V, N, D) values.
        name: what messages call them, such as "features".
    """
    rows = rows.flatten(0, -2)
    per_check = max(1, CHECK_BYTES // (rows.shape[1] * rows.element_size()))
    if all(_all_finite(part) for part in torch.split(rows, per_check)):
        return
    bad = torch.cat([~part.isfinite().all(dim=1) for part in torch.split(rows, per_check)]).nonzero().flatten()
    first = rows[bad[0]]
    what = "NaN" if bool(first.isnan().any()) else "inf"
    raise InvalidInput(
        f"{name} must be finite, without NaN or inf: {len(bad)} of {len(rows)} rows are not, "
        f"the first is row {int(bad[0])} ({what}); drop these rows or make them again"
    )


def as_labels(labels: Any, count: int) -> Tensor:
    """Class labels as (N,) int64; whole numbers in another dtype are taken.

    Args:
        labels: (N,) integers in any array-like form.
        count: N, the number of rows they belong to.

    Raises:
        InvalidInput: another shape or length, or not whole numbers.
    """
    array = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.shape != (count,):
        raise InvalidInput(f"labels must have shape ({count},), one per row of features, got {array.shape}")
    whole = array.dtype.kind in "biu" or (array.dtype.kind == "f" and bool(np.all(array == np.floor(array))))
    if not whole or not np.all(np.isfinite(array)):
        raise InvalidInput(
            f"Unknown label type: labels must be integers, got dtype {array.dtype}; number the classes, "
            "for example with np.unique(labels, return_inverse=True)"
        )
    return torch.from_numpy(array.astype(np.int64))


def _all_finite(part: Tensor) -> bool:
    if not part.is_floating_point():
        return True
    total = part.sum(dtype=torch.promote_types(part.dtype, torch.float32))  # one pass; looked at again if it overflows
    return bool(total.isfinite()) or bool(part.isfinite().all())


def _numeric_array(values: Any, name: str) -> NDArray[Any]:
    if sparse.issparse(values):
        raise InvalidInput(f"{name} is sparse, which no scorer takes; call toarray() first")
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufc":
            array = array.astype(np.float64)
    except ValueError as error:
        raise InvalidInput(f"{name} must be an array of numbers: {str(error).splitlines()[0]}") from error
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return array


class _Shared:
    """Presents a read-only array as writable, since torch warns about what it could write to."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def _share(array: NDArray[Any]) -> Tensor:
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = np.ascontiguousarray(array)
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Shared(array)))
