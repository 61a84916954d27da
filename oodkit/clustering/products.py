"""Matrix products of small stacks on the CPU, by the library that uses the processor's widest registers."""

from functools import cache

import torch
from torch import Tensor


def product(left: Tensor, right: Tensor) -> Tensor:
    """Products of a stack of matrices, (n, R, K) and (n, K, C) -> (n, R, C), in the dtype that both have.

    Args:
        left: (n, R, K), or (R, K) for the same in all products.
        right: (n, K, C).
    """
    several = left if left.ndim == 3 else left.expand(len(right), *left.shape)
    if not _by_onednn(left):
        return torch.bmm(several, right)
    found = [_onednn_product(a, b) for a, b in zip(several, right, strict=True)]
    return found[0][None] if len(found) == 1 else torch.stack(found)


def _onednn_product(left: Tensor, right: Tensor) -> Tensor:
    """(R, K) and (K, C) -> (R, C); other strides than those of a matrix or its transpose are very slow."""
    weight = _plain(right).T
    return torch.ops.mkldnn._linear_pointwise(_plain(left), weight, None, "none", [], "")  # type: ignore[no-any-return]


def _plain(matrix: Tensor) -> Tensor:
    return matrix if matrix.is_contiguous() or matrix.T.is_contiguous() else matrix.contiguous()


def _by_onednn(left: Tensor) -> bool:
    return left.device.type == "cpu" and left.dtype == torch.float32 and _wide_onednn()


@cache
def _wide_onednn() -> bool:
    """Whether oneDNN multiplies float32 matrices at least as fast as `torch.matmul`.

    That one calls MKL, which leaves half of the registers unused on processors of other makers; a rule and no
    measurement, so that each run of a machine computes the same.
    """
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return wide and there and hasattr(torch.ops.mkldnn, "_linear_pointwise")
