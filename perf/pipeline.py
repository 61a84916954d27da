"""The whole of `oodkit.embed` (read, hash, decode, resize, network, store) beside its network alone on ready pixels.

Run: python perf/pipeline.py [--images N] [--repeats N] [--precision P] [--data-root DIR]

Both run the same batches in the same threads. Small images: the test files of cifar100 where the data root has them,
else PNGs of 32 x 32 made of photographs, at 128 px. Photographs: JPEGs of 500 x 375, quality 90, at the backbone's 224.
"""

import argparse
import tempfile
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from typing import get_args

import numpy as np
import torch
from pairing import compare
from photographs import photographs
from surroundings import surroundings

from oodkit.backbones import Backbone, Precision, load_backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.data import ImageSet, decode_image, load_dataset
from oodkit.embedding import embed
from oodkit.embedding.extraction import ahead, default_batch_size, features_of
from oodkit.errors import OodkitError


def main(images: int, repeats: int, precision: Precision, data_root: Path | None) -> None:
    print(surroundings("torchvision", "pillow"))
    print(f"efficientnet_lite0, {precision}, {repeats} alternating repeats; throughput over that of the network alone")
    row = "{:<52} {:>6}  {:<24} {:<9} {}".format
    print(row("files", "images", "median (range)", "at least", "seconds per 1,000 images without the network"))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        small, what = small_images(8 * images, work, data_root)
        large, kind = large_images(images, work, data_root)
        for name, files, size, target in ((what, small, 128, 0.90), (kind, large, None, 0.80)):
            backbone = load_backbone(image_size=size, precision=precision).load()
            ready = pixels_of_all(files, backbone)
            alone = partial(network_alone, backbone, ready)
            ratio = compare(alone, partial(whole, files, backbone, work / "cache"), repeats)
            rest = 1000 * seconds(partial(pixels_of_all, files, backbone)) / len(files)
            print(row(name, len(files), str(ratio), f"{target:.2f}", f"{rest:.1f}"), flush=True)


def whole(files: ImageSet, backbone: Backbone, cache: Path) -> None:
    rmtree(cache, ignore_errors=True)
    assert embed(files, backbone, cache=cache).computed == len(files), "every image must be embedded anew"


def network_alone(backbone: Backbone, pixels: torch.Tensor) -> None:
    batches = torch.split(pixels, default_batch_size(backbone))
    deque(ahead(partial(features_of, backbone), batches, torch.get_num_threads()), maxlen=0)


def pixels_of_all(files: ImageSet, backbone: Backbone) -> torch.Tensor:
    """Every image read, decoded and resized, in the threads of `oodkit.embed`."""

    def one(batch: range) -> torch.Tensor:
        pictures = [decode_image(files.read(i), files.ids[i]) for i in batch]
        return backbone.preprocessing.fit([pixels_of(picture) for picture in pictures])

    size = default_batch_size(backbone)
    batches = (range(start, min(start + size, len(files))) for start in range(0, len(files), size))
    return torch.cat(list(ahead(one, batches, torch.get_num_threads())))


def small_images(count: int, work: Path, data_root: Path | None) -> tuple[ImageSet, str]:
    try:
        found = load_dataset("cifar100:test", data_root=data_root, download=False)
    except OodkitError:
        pictures, source = photographs(count, 32, 32, data_root)
        return written(pictures, work / "small", "png"), f"32 x 32 PNGs ({source}) at 128 px"
    return found.subset(np.linspace(0, len(found) - 1, count).astype(int)), "cifar100 (32 x 32 WebP) at 128 px"


def large_images(count: int, work: Path, data_root: Path | None) -> tuple[ImageSet, str]:
    pictures, source = photographs(count, 500, 375, data_root)
    return written(pictures, work / "large", "jpg", quality=90), f"500 x 375 JPEGs ({source}) at 224 px"


def written(pictures: list, folder: Path, extension: str, **options: int) -> ImageSet:  # type: ignore[type-arg]
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:05}.{extension}", **options)
    return load_dataset(folder)


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256, help="JPEGs; eight times as many small images")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", choices=get_args(Precision), default="fp32")
    parser.add_argument("--data-root", type=Path)
    given = parser.parse_args()
    main(given.images, given.repeats, given.precision, given.data_root)
