"""Steps of PGD per second beside torchattacks' PGD on the same score, and the gradient of k-NN beside a plain one.

Run: python perf/attacks.py [--steps N] [--images N] [--repeats N]

The score is 1-NN over a bank of 50,000 rows on the bundled backbone at 64 px. torchattacks is no dependency:
`pip install --no-deps --target peers torchattacks`, then PYTHONPATH=peers.
"""

import argparse
from collections.abc import Callable

import torch
from pairing import compare
from torch import Tensor, nn

from oodkit.attacks import PGD, Goal, LInf
from oodkit.backbones import load_backbone
from oodkit.scorers.knn import KNN

BANK, SIZE, EPS = 50_000, 64, 8 / 255


class TwoClasses(nn.Module):
    """A score as the logits of two classes, as torchattacks takes it."""

    def __init__(self, goal: Goal) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))
        self.goal = goal

    def forward(self, pixels: Tensor) -> Tensor:
        score = self.goal(pixels)
        return torch.stack([-score / 2, score / 2], dim=1)


def main(steps: int, count: int, repeats: int) -> None:
    generator = torch.Generator().manual_seed(0)
    backbone = load_backbone("efficientnet_lite0", image_size=SIZE, device="cpu")
    scorer = KNN().fit(torch.randn(BANK, backbone.dim, generator=generator))
    images = torch.randint(0, 256, (count, 3, SIZE, SIZE), generator=generator) / 255
    goal = Goal(lambda pixels: scorer.score_tensor(backbone.embed_pixels(pixels)))

    ours = PGD(LInf(EPS), steps=steps)
    name = f"{count} images, {steps} steps, {SIZE} px, bank of {BANK:,}"
    try:
        import torchattacks
    except ModuleNotFoundError:
        print("torchattacks is not installed; only the gradient is measured")
    else:
        peer = torchattacks.PGD(TwoClasses(goal), eps=EPS, alpha=2.5 * EPS / steps, steps=steps)
        labels = torch.zeros(count, dtype=torch.long)
        slower = compare(lambda: peer(images, labels), lambda: ours.run(goal, images), repeats)
        print(f"PGD, images x steps per second over those of torchattacks (at least 0.95): {slower}; {name}")

    bank = scorer.bank_
    assert bank is not None
    features = torch.randn(256, backbone.dim, generator=generator)

    def by_search(rows: Tensor) -> Tensor:
        return scorer.score_tensor(rows)

    def by_product(rows: Tensor) -> Tensor:
        return (torch.nn.functional.normalize(rows, dim=1) @ bank.T).amax(dim=1)

    assert torch.allclose(slope(by_search, features), slope(by_product, features), atol=1e-6)
    faster = compare(lambda: slope(by_product, features), lambda: slope(by_search, features), repeats)
    print(
        f"gradient of 1-NN by a search without a graph, times as fast as through the product (at least 1.3): {faster}"
    )


def slope(score: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    moved = rows.clone().requires_grad_(True)
    return torch.autograd.grad(score(moved).sum(), moved)[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option, value in (("--steps", 20), ("--images", 16), ("--repeats", 5)):
        parser.add_argument(option, type=int, default=value)
    options = parser.parse_args()
    main(options.steps, options.images, options.repeats)
