"""Settings and material of the whole test suite: isolated folders, real photographs, a small real backbone."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# A busy machine must not fail a test: rules are about results, never about time.
# The same examples on every run of continuous integration; others everywhere else.
settings.register_profile("oodkit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("oodkit")

TINY_FACTORY = '''
"""A small convolutional network with fixed weights, for tests."""

import torch
from torch import nn

from oodkit.backbones import from_module


class Tiny(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(4 * width, 5)

    def forward(self, pixels):
        return self.fc(torch.relu(self.pool(self.conv(pixels))).flatten(1))


def _network(seed):
    generator = torch.Generator().manual_seed(seed)
    module = Tiny()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return from_module(module, image_size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), classifier="fc")


def tiny():
    return _network(0)


def other_weights():
    return _network(1)
'''


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings keep a checkpoint after each step, not only now and then."""
    monkeypatch.setattr("oodkit.checkpoints.folder.SECONDS", 0.0)
    monkeypatch.setattr("oodkit.checkpoints.folder.COST", 0)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's data, cache or home."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("OODKIT_CACHE", str(home / "embeddings"))
    monkeypatch.delenv("OODKIT_DATA", raising=False)


@pytest.fixture(scope="session")
def photograph() -> Callable[[int, int, int], Image.Image]:
    """`photograph(seed, width, height)`: a piece of a real photograph, another one for each seed."""
    from sklearn.datasets import load_sample_images

    whole = [Image.fromarray(pixels) for pixels in load_sample_images().images]

    def piece(seed: int, width: int = 24, height: int = 20) -> Image.Image:
        source = whole[seed % len(whole)]
        place = np.random.default_rng(seed)
        left = int(place.integers(0, source.width - width))
        top = int(place.integers(0, source.height - height))
        return source.crop((left, top, left + width, top + height))

    return piece


@pytest.fixture
def photo_folder(tmp_path: Path, photograph: Callable[..., Image.Image]) -> Path:
    """Train and test splits of two classes, ten PNG photographs each: `photos/SPLIT/CLASS/N.png`."""
    root = tmp_path / "photos"
    for place, (split, name) in enumerate([("train", "a"), ("train", "b"), ("test", "a"), ("test", "b")]):
        folder = root / split / name
        folder.mkdir(parents=True)
        for number in range(10):
            photograph(100 * place + number).save(folder / f"{number}.png")
    return root


@pytest.fixture
def many_photos(tmp_path: Path, photograph: Callable[..., Image.Image]) -> Path:
    """A flat folder of 100 PNG photographs, no two alike: enough to calibrate on."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100):
        photograph(1000 + number).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python file with factories of a small network; `module:FILE:tiny` names a backbone of 48 features."""
    path = tmp_path_factory.mktemp("factory") / "tiny_network.py"
    path.write_text(TINY_FACTORY)
    return path


@pytest.fixture
def tiny_name(tiny_file: Path) -> str:
    """The name of the small backbone."""
    return f"module:{tiny_file}:tiny"
