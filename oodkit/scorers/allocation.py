"""How the C library treats the memory of temporaries between chunks."""

import torch

_BYTES = 31 * 2**20  # glibc learns from freed blocks of up to 32 MB


def keep_freed_memory() -> None:
    """Let freed temporaries of up to 31 MB be taken again, instead of going back to the system after each chunk.

    glibc returns free memory above twice the largest mapped block that was freed so far, and its pages must then be
    fetched, and filled with zeros, chunk after chunk: several times the cost of a softmax. A block that is taken and
    freed untouched teaches it the size and costs microseconds. Other C libraries take no notice.
    """
    torch.empty(_BYTES, dtype=torch.uint8)
