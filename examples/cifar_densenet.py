"""The CIFAR DenseNet of the OOD papers as a backbone: an example of bringing your own module.

    OODKIT_WEIGHTS=DIR oodkit score --in cifar100 --out cifar10 --backbone module:examples/cifar_densenet.py:cifar100

DIR holds `densenet100_cifar100.safetensors` and `densenet100_cifar10.safetensors`: state dicts of DenseNet-BC with
depth 100 and growth 12 under the key names of deeplearning-wisc/dice. The feature is the pooled 342-d one.
"""

import os
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from oodkit.backbones import Network, from_module

GROWTH, UNITS_PER_BLOCK = 12, 16


def cifar100() -> Network:
    """The network trained on CIFAR-100."""
    return _network("densenet100_cifar100.safetensors", classes=100)


def cifar10() -> Network:
    """The network trained on CIFAR-10."""
    return _network("densenet100_cifar10.safetensors", classes=10)


def _network(file: str, classes: int) -> Network:
    return from_module(
        DenseNet(classes),
        image_size=32,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2023, 0.1994, 0.2010),
        state_dict=Path(os.environ.get("OODKIT_WEIGHTS", ".")) / file,
        classifier="fc",
    )


class DenseNet(nn.Module):
    """DenseNet-BC, depth 100, growth 12, reduction one half (Huang et al., 2017), for 32x32 images."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        width = 2 * GROWTH
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.block1, width = DenseBlock(width), width + UNITS_PER_BLOCK * GROWTH
        self.trans1, width = Transition(width), width // 2
        self.block2, width = DenseBlock(width), width + UNITS_PER_BLOCK * GROWTH
        self.trans2, width = Transition(width), width // 2
        self.block3, width = DenseBlock(width), width + UNITS_PER_BLOCK * GROWTH
        self.bn1 = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, classes)

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 3, 32, 32) -> (B, classes)
        maps = self.trans1(self.block1(self.conv1(pixels)))
        maps = self.block3(self.trans2(self.block2(maps)))
        return self.fc(functional.relu(self.bn1(maps)).mean(dim=(2, 3)))


class DenseBlock(nn.Module):
    """Sixteen units, each of which sees all maps before it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(*[Bottleneck(width + i * GROWTH) for i in range(UNITS_PER_BLOCK)])

    def forward(self, maps: Tensor) -> Tensor:
        return self.layer(maps)


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution, whose maps are put beside those that came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, 4 * GROWTH, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4 * GROWTH)
        self.conv2 = nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.conv1(functional.relu(self.bn1(maps)))
        return torch.cat([maps, self.conv2(functional.relu(self.bn2(inner)))], dim=1)


class Transition(nn.Module):
    """Half the maps at half the side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, width // 2, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.avg_pool2d(self.conv1(functional.relu(self.bn1(maps))), 2)
