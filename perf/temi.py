"""TEMI: an epoch of 50 heads together against the same steps in a loop over the heads.

Run: python perf/temi.py [--repeats N] [--width D] [--batch B] [--precision fp32|bf16]

Rows are random. The loop takes each head's products, losses and gradients by itself, as separate modules do; the
weights of the pairs, which all heads share, are the same in both. Both end in one optimiser step per batch.
"""

import argparse
from collections.abc import Callable

import torch
from pairing import compare
from surroundings import surroundings
from torch import Tensor

from oodkit.clustering.temi import SHARE_MOMENTUM, Trainer
from oodkit.clustering.temi_heads import Heads
from oodkit.clustering.temi_loss import pair_weights, pmi_loss

HEADS, CLUSTERS, TARGET = 50, 100, 0.6


def main(repeats: int, rows: int, width: int, batch: int, precision: str) -> None:
    generator = torch.Generator().manual_seed(0)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    pairs = torch.randn(2, rows, width, generator=generator).to(dtype)
    batches = torch.split(pairs, batch, dim=1)
    batched = Trainer(Heads.draw(HEADS, width, CLUSTERS, generator))
    looped = [Trainer(Heads.draw(1, width, CLUSTERS, generator)) for _ in range(HEADS)]
    print(surroundings())
    print(f"{HEADS} heads, {CLUSTERS} clusters, {rows:,} rows x {width}, batches of {batch}, {precision}")
    ratio = compare(epoch(batched.step, batches), epoch(LoopedStep(looped), batches), repeats)
    print(f"batched / loop: {ratio}, at most {TARGET}")


def epoch(step: Callable[[Tensor, float], object], batches: tuple[Tensor, ...]) -> Callable[[], None]:
    def run() -> None:
        for batch in batches:
            step(batch, 1e-4)

    return run


class LoopedStep:
    """The step of `Trainer` for heads that are trained one after the other."""

    def __init__(self, heads: list[Trainer]) -> None:
        self.heads = heads
        parameters = [tensor.requires_grad_(True) for head in heads for tensor in head.student.tensors().values()]
        self.optimiser = torch.optim.AdamW(parameters, lr=0.0, weight_decay=1e-4, fused=True)

    def __call__(self, pairs: Tensor, learning_rate: float) -> None:
        with torch.no_grad():
            log_teachers = [
                [head.teacher.log_probabilities(view) for view in (pairs[0], pairs[1])] for head in self.heads
            ]
            both = [torch.cat([of[view] for of in log_teachers]) for view in (0, 1)]
            weights = pair_weights(both[0], both[1], "temi")[0]
        losses = []
        for head, (first, second) in zip(self.heads, log_teachers, strict=True):
            head.share.lerp_((first.exp().mean(dim=1) + second.exp().mean(dim=1)) / 2, 1 - SHARE_MOMENTUM)
            log_share = head.share.log()[:, None, :]
            one = pmi_loss(head.student.log_probabilities(pairs[0]), second, log_share, head.beta)
            other = pmi_loss(head.student.log_probabilities(pairs[1]), first, log_share, head.beta)
            losses.append((weights * (one + other) / 2).mean())
        self.optimiser.zero_grad()
        torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
        self.optimiser.param_groups[0]["lr"] = learning_rate
        self.optimiser.step()
        with torch.no_grad():
            for head in self.heads:
                for average, current in zip(
                    head.teacher.tensors().values(), head.student.tensors().values(), strict=True
                ):
                    average.lerp_(current, 1 - head.momentum)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--precision", default="fp32")
    given = parser.parse_args()
    main(given.repeats, given.rows, given.width, given.batch, given.precision)
