"""Photographs, a small detector, and a server of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

import oodkit


@dataclass
class Photos:
    """Photographs in files, and a detector that was fitted on others."""

    detector: oodkit.Detector
    paths: list[str]
    contents: list[bytes] = field(default_factory=list)

    @property
    def files(self):
        """(name, bytes) of each."""
        return list(zip(self.paths, self.contents, strict=True))


@pytest.fixture(scope="session")
def photos(tmp_path_factory, photograph: Callable[..., Image.Image], tiny_file) -> Photos:
    """Twelve photographs and four images of noise, as PNG and JPEG of several sizes."""
    folder = tmp_path_factory.mktemp("serving")
    fitted = [photograph(1000 + number) for number in range(100)]
    backbone = oodkit.load_backbone(f"module:{tiny_file}:tiny", device="cpu")
    detector = oodkit.Detector(backbone, "knn", cache=folder / "store").fit(fitted, hold_out=0.2).calibrate(fpr=0.05)
    found = Photos(detector, [])
    rng = np.random.default_rng(0)
    for number in range(16):
        image = photograph(number, 24 + number, 20 + 3 * number)
        if number >= 12:
            image = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8))
        path = folder / f"{number}.{'png' if number % 2 else 'jpg'}"
        image.save(path)
        found.paths.append(str(path))
        found.contents.append(path.read_bytes())
    return found


@pytest.fixture(scope="session")
def server(photos) -> Iterator:
    """Whoever asks a server with the usual limits."""
    from tests.serving.calling import running

    with running(photos.detector) as caller:
        yield caller
