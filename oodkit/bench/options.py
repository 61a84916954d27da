"""Where things lie, and what a run may do."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Where things lie and what a run may do.

    Attributes:
        data_root: folder of data sets; None for the usual one.
        cache: folder of the embedding store; None for the usual one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        download: whether missing sets may be downloaded.
        skip_unreadable: leave out images that cannot be read.
        shard: (i, n): the i-th of n parts, from 1; each is run by a process of its own.
    """

    data_root: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | None = None
    device: str = "auto"
    download: bool = False
    skip_unreadable: bool = False
    shard: tuple[int, int] = (1, 1)
