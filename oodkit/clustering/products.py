"""Matrix products of small stacks on the CPU, by the library that uses the processor's widest registers."""

from functools import cache

import torch
from torch import Tensor


def product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """Products of a stack of matrices, (n, R, K) and (n, K, C) -> (n, R, C), in the dtype that all have.

    Args:
        left: (n, R, K), or (R, K) for the same in all products.
        right: (n, K, C).
        bias: (n, 1, C) that is added; None for nothing.
    """
    several = left if left.ndim == 3 else left.expand(len(right), *left.shape)
    if left.device.type != "cpu":
        return torch.bmm(several, right) if bias is None else torch.baddbmm(bias, several, right)
    if left.dtype == torch.float32 and _wide_onednn():
        added = [None] * len(right) if bias is None else [row[0] for row in bias]
        made = [_onednn_product(*parts) for parts in zip(several, right, added, strict=True)]
        return made[0][None] if len(made) == 1 else torch.stack(made)
    found = right.new_empty(len(right), several.shape[1], right.shape[2])
    for place in range(len(right)):  # products of whole stacks are slower where a matrix is a transpose
        torch.mm(several[place], right[place], out=found[place])
    return found if bias is None else found.add_(bias)


def _onednn_product(left: Tensor, right: Tensor, bias: Tensor | None) -> Tensor:
    """(R, K) and (K, C) -> (R, C); other strides than those of a matrix or its transpose are very slow."""
    weight = _plain(right).T
    return torch.ops.mkldnn._linear_pointwise(_plain(left), weight, bias, "none", [], "")  # type: ignore[no-any-return]


def _plain(matrix: Tensor) -> Tensor:
    return matrix if matrix.is_contiguous() or matrix.T.is_contiguous() else matrix.contiguous()


@cache
def _wide_onednn() -> bool:
    """Whether oneDNN multiplies float32 matrices at least as fast as `torch.matmul`.

    That one calls MKL, which leaves half of the registers unused on processors of other makers; a rule and no
    measurement, so that each run of a machine computes the same.
    """
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return wide and there and hasattr(torch.ops.mkldnn, "_linear_pointwise")
