"""Seeds of random draws: each draw has its own, so that a run that goes on draws as if it had never stopped."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_of(*parts: object) -> int:
    """A seed for what is named by these words and numbers."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def generator_of(*parts: object) -> torch.Generator:
    """A generator for what is named by these words and numbers."""
    return torch.Generator().manual_seed(seed_of(*parts))


@contextmanager
def drawing(*parts: object, device: torch.device | None = None) -> Iterator[None]:
    """Let what draws from torch's global generators draw by a seed of its own; they are put back afterwards.

    Args:
        parts: as in `seed_of`.
        device: a GPU whose generator counts too.
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        seed = seed_of(*parts)
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
