"""From images to features, batch by batch: threads read and decode ahead while the backbone works."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.backbones import Backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.data.image_set import ImageSet
from oodkit.data.images import decode_image
from oodkit.errors import UnreadableImage
from oodkit.views.view import View

IsStored = Callable[[Sequence[bytes]], NDArray[np.bool_]]


@dataclass
class Batch:
    """Some images of a set on their way to the backbone.

    Attributes:
        positions: where they are in the set.
        digests: digest of every image that could be read, by position.
        pending: positions whose features are not stored; row i of `pixels` belongs to pending[i].
        pixels: (P, 3, size, size) uint8.
        failures: what went wrong, by position.
    """

    positions: Sequence[int]
    digests: dict[int, bytes] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    pixels: Tensor | None = None
    failures: dict[int, UnreadableImage] = field(default_factory=dict)


def read_batches(
    images: ImageSet,
    batches: Iterable[Sequence[int]],
    known: Sequence[bytes | None],
    is_stored: IsStored,
    backbone: Backbone,
    view: View,
) -> Iterator[Batch]:
    """Read, decode and resize batches of a set in order, a few ahead of the one that is used.

    Args:
        images: the set.
        batches: positions of the images of each batch.
        known: (N,) digests that need no reading, or None.
        is_stored: tells of digests which have features already; called from several threads.
        backbone: its preprocessing is used.
        view: applied to the pixels before resizing.
    """

    def prepare(positions: Sequence[int]) -> Batch:
        return _prepare(images, positions, known, is_stored, backbone, view)

    workers = max(1, min(4, os.cpu_count() or 1))
    yield from _ahead(prepare, batches, workers)


def features_of(backbone: Backbone, pixels: Tensor) -> NDArray[np.float32] | NDArray[np.float16]:
    """Features (B, D) of uint8 pixels (B, 3, H, W), as they are stored: float16 for precision fp16, else float32."""
    with torch.inference_mode():
        features = backbone.embed_pixels(pixels.to(backbone.device).float().div_(255))
        kept = features.half() if backbone.precision == "fp16" else features
        array: NDArray[np.float32] = kept.cpu().numpy()
        return array


def _prepare(
    images: ImageSet,
    positions: Sequence[int],
    known: Sequence[bytes | None],
    is_stored: IsStored,
    backbone: Backbone,
    view: View,
) -> Batch:
    batch = Batch(positions)
    contents: dict[int, bytes] = {}
    for position in positions:
        digest = known[position]
        if digest is None:
            try:
                contents[position] = images.read(position)
            except UnreadableImage as error:
                batch.failures[position] = error
                continue
            digest = hashlib.sha256(contents[position]).digest()
        batch.digests[position] = digest
    readable = list(batch.digests)
    stored = is_stored([batch.digests[position] for position in readable])
    decoded = []
    for position, done in zip(readable, stored, strict=True):
        if done:
            continue
        try:
            content = contents.pop(position, None)
            image = decode_image(images.read(position) if content is None else content, images.ids[position])
        except UnreadableImage as error:
            batch.failures[position] = error
            del batch.digests[position]
            continue
        batch.pending.append(position)
        decoded.append(view.apply(pixels_of(image)))
    if decoded:
        batch.pixels = backbone.preprocessing.fit(decoded)
    return batch


def _ahead(
    prepare: Callable[[Sequence[int]], Batch], batches: Iterable[Sequence[int]], workers: int
) -> Iterator[Batch]:
    """Results in order, with one more batch under way than there are workers; nothing is left running at the end."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="oodkit-read")
    waiting: deque[Future[Batch]] = deque()
    try:
        for positions in batches:
            waiting.append(pool.submit(prepare, positions))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
