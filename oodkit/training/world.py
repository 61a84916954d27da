"""One process, or those that torchrun has started together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from oodkit.backbones import choose_device


@dataclass(frozen=True)
class World:
    """Where this process stands among those that train together.

    Attributes:
        rank: its number; the first one writes.
        size: how many there are.
        device: what it computes on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """What of `count` things is for this process; `count` is a multiple of the number of processes."""
        part = count // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def mean(self, value: Tensor) -> Tensor:
        """The mean over all processes, without gradient."""
        if self.size > 1:
            value = value.detach().clone()
            distributed.all_reduce(value)
            value /= self.size
        return value

    def shared_mean(self, value: Tensor) -> Tensor:
        """The mean over all processes; gradients flow back to each."""
        if self.size == 1:
            return value
        found: Tensor = _Sum.apply(value)
        return found / self.size

    def gathered(self, rows: Tensor) -> Tensor:
        """(B, ...) of this process -> (size B, ...) of all, in the order of ranks; gradients flow back to each."""
        if self.size == 1:
            return rows
        count = len(rows)
        places = torch.arange(self.rank * count, (self.rank + 1) * count, device=rows.device)
        placed = rows.new_zeros(self.size * count, *rows.shape[1:]).index_copy(0, places, rows)
        found: Tensor = _Sum.apply(placed)
        return found

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module, with gradients that are means over all processes."""
        if self.size == 1:
            return module
        gpus = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=gpus)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


class _Sum(torch.autograd.Function):
    """The sum over all processes; what flows back is the sum of what flows into each."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        total = slope.clone()
        distributed.all_reduce(total)
        return total


@contextmanager
def joined(device: str = "auto") -> Iterator[World]:
    """The world of this process: alone, or with others where torchrun has started it.

    Args:
        device: as in `choose_device`; "auto" and "cuda" take the GPU of the process's local rank.

    Raises:
        DeviceUnavailable: the device is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(0, 1, choose_device(device))
        return
    chosen = choose_device(device)
    if chosen.type == "cuda" and ":" not in device:
        chosen = choose_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(distributed.get_rank(), size, chosen)
    finally:
        distributed.destroy_process_group()
