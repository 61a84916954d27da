"""Success rates of APGD and Square beside torchattacks' ports of their authors' code, on a small classifier.

Run: python perf/attack_success.py --data-root DIR [--images N] [--steps N] [--queries N]

The classifier is a small network trained here on most of CIFAR-10's test images; an attack succeeds where the class
changes. torchattacks is no dependency: `pip install --no-deps --target peers torchattacks`, then PYTHONPATH=peers.
"""

import argparse

import numpy as np
import torch
import torchattacks
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from oodkit.attacks import APGD, L2, Goal, LInf, Square
from oodkit.data import load_dataset

TEST = 2000  # images that the classifier is not trained on
CASES = ((LInf(1 / 255), "Linf"), (LInf(2 / 255), "Linf"), (L2(0.15), "L2"), (L2(0.3), "L2"))


def main(data_root: str, count: int, steps: int, queries: int) -> None:
    pixels, labels = loaded(data_root)
    model = trained(pixels[:-TEST], labels[:-TEST])
    pixels, labels = pixels[-TEST:], labels[-TEST:]
    with torch.no_grad():
        right = model(pixels).argmax(1) == labels
    pixels, labels = pixels[right][:count], labels[right][:count]
    print(f"accuracy {right.float().mean():.3f}; {len(labels)} images that it has right; success in per cent")
    rows = torch.arange(len(labels))

    def margin(moved: Tensor) -> Tensor:
        logits = model(moved)
        others = logits.clone()
        others[rows, labels] = -torch.inf
        gap: Tensor = others.amax(1) - logits[rows, labels]
        return gap

    losses = {
        "apgd": Goal(lambda moved: cross_entropy(model(moved), labels, reduction="none")),
        "square": Goal(margin),
    }
    for ball, norm in CASES:
        ours = {"apgd": APGD(ball, steps=steps), "square": Square(ball, steps=queries)}
        peers = {
            "apgd": torchattacks.APGD(model, norm=norm, eps=ball.eps, steps=steps),
            "square": torchattacks.Square(model, norm=norm, eps=ball.eps, n_queries=queries),
        }
        for name, goal in losses.items():
            made = ours[name].run(goal, pixels, whole_levels=False).unrounded
            theirs = peers[name](pixels, labels)
            found = [100 * float((model(x).argmax(1) != labels).float().mean()) for x in (made, theirs)]
            print(f"{name:7} {ball!r:18} ours {found[0]:5.1f}  reference {found[1]:5.1f}", flush=True)


def loaded(data_root: str) -> tuple[Tensor, Tensor]:
    images = load_dataset("cifar10:test", data_root=data_root)
    rows = np.random.default_rng(0).permutation(len(images))
    pixels = np.stack([np.asarray(images.open(int(i))) for i in rows]).transpose(0, 3, 1, 2)
    assert images.labels is not None
    return torch.from_numpy(pixels.copy()).float() / 255, torch.from_numpy(images.labels[rows])


def trained(pixels: Tensor, labels: Tensor, epochs: int = 8) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    blocks: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        blocks += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(128 * 16, 10))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(labels), generator=generator), 64):
            adam.zero_grad()
            torch.autograd.backward(cross_entropy(model(pixels[rows]), labels[rows]))
            adam.step()
    return model.eval().requires_grad_(False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-root", required=True)
    for option, value in (("--images", 500), ("--steps", 50), ("--queries", 1000)):
        parser.add_argument(option, type=int, default=value)
    options = parser.parse_args()
    main(options.data_root, options.images, options.steps, options.queries)
