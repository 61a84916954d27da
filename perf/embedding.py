"""Embedding ready pixels, beside a plain float32 loop over the same pixels: timm's model, and open_clip's ViT-B-32.

Run: python perf/embedding.py [--images N] [--repeats N] [--data-root DIR] [--no-compile]

The plain loop: the library's model in inference mode, contiguous batches of 64, torch's default threads. Ours: the
threads of `oodkit.embed`. Weights of the ViT are random, which does not change its speed. OMP_NUM_THREADS=1 gives both
one thread: the ratio that a busy machine disturbs least.
"""

import argparse
import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import open_clip
import timm
import torch
from pairing import Ratio, compare
from photographs import photographs
from surroundings import surroundings
from torch import Tensor, nn

from oodkit.backbones import Backbone, Network, Precision, Preprocessing, load_backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.embedding.extraction import ahead, default_batch_size, features_of

PLAIN_BATCH = 64
LITE0, VIT = "efficientnet_lite0", "open_clip ViT-B-32"
TARGETS = {(LITE0, "fp32"): 0.75, (LITE0, "bf16"): 0.45, (LITE0, "bf16 --compile"): 0.20, (VIT, "bf16"): 0.30}


def main(images: int, repeats: int, data_root: Path | None, compiling: bool) -> None:
    pictures, source = photographs(images, 256, 256, data_root)
    pixels = load_backbone(LITE0).preprocessing.fit([pixels_of(picture) for picture in pictures])
    print(surroundings("timm", "open_clip_torch"))
    print(f"{images} images ({source}) at 224 px, {repeats} alternating repeats; ratio of times to the plain loop")
    row = "{:<20} {:<16} {:<24} {:<8} {}".format
    print(row("backbone", "ours", "median (range)", "at most", "notes"))

    def report(backbone: str, way: str, ratio: Ratio, note: str = "") -> None:
        target = TARGETS.get((backbone, way))
        print(row(backbone, way, str(ratio), "-" if target is None else f"{target:.2f}", note), flush=True)

    model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    plain = partial(plain_loop, model, normalised(pixels, load_backbone(LITE0)))
    exact = features(load_backbone(LITE0), pixels)
    ways: list[tuple[str, Precision, bool]] = [("fp32", "fp32", False), ("bf16", "bf16", False)]
    if compiling:
        ways += [("fp32 --compile", "fp32", True), ("bf16 --compile", "bf16", True)]
    for way, precision, compiled in ways:
        backbone = load_backbone(LITE0, precision=precision, compile=compiled).load()
        first = seconds(partial(features, backbone, pixels[:1]))
        agree = nn.functional.cosine_similarity(torch.from_numpy(features(backbone, pixels)), torch.from_numpy(exact))
        note = f"cosine to fp32: mean {agree.mean():.6f}, least {agree.min():.6f}"
        note += f"; first batch {first:.0f} s" if compiled else ""
        report(LITE0, way, compare(partial(features, backbone, pixels), plain, repeats), note)

    tower = open_clip.create_model("ViT-B-32").visual.eval()
    network = Network(tower, Preprocessing(size=224, resize=224, mean=(0.5,) * 3, std=(0.5,) * 3), VIT)
    half = pixels[: max(1, images // 2)]
    plain = partial(plain_loop, copy.deepcopy(tower), normalised(half, Backbone.of(VIT, network)))
    for precision in ("fp32", "bf16"):
        backbone = Backbone.of(VIT, network, precision=precision).load()
        report(VIT, precision, compare(partial(features, backbone, half), plain, repeats), f"{len(half)} images")


def features(backbone: Backbone, pixels: Tensor) -> np.ndarray:
    """Features of ready uint8 pixels, by the batches and threads of `oodkit.embed`."""
    size = default_batch_size(backbone)

    def one(batch: Tensor) -> np.ndarray:
        missing = size - len(batch) if backbone.compile else 0
        return features_of(backbone, torch.cat([batch, batch[:1].expand(missing, -1, -1, -1)]))[: len(batch)]

    return np.concatenate(list(ahead(one, torch.split(pixels, size), torch.get_num_threads())))


def normalised(pixels: Tensor, backbone: Backbone) -> Tensor:
    """Contiguous float32 input of the plain loop."""
    return backbone.preprocessing.normalise(pixels.contiguous().float() / 255)


def plain_loop(model: nn.Module, pixels: Tensor) -> None:
    with torch.inference_mode():
        for batch in torch.split(pixels, PLAIN_BATCH):
            model(batch)


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--no-compile", action="store_true")
    given = parser.parse_args()
    main(given.images, given.repeats, given.data_root, not given.no_compile)
