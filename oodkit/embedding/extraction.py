"""From images to features, batch by batch.

On a CPU every worker thread reads, decodes and runs the backbone for its own batch, with one compute thread each:
no core waits for another, and the digits do not depend on how many cores there are. On a GPU the workers read and
decode ahead while the calling thread keeps the GPU busy.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from oodkit.backbones import Backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.data.image_set import ImageSet
from oodkit.data.images import decode_image
from oodkit.errors import InvalidInput, OodkitError, UnreadableImage
from oodkit.views.view import View

Features = NDArray[np.float32] | NDArray[np.float16]
CPU_BATCH_BYTES = 2**20  # of one colour channel of a batch
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Batch:
    """Some images of a set, on their way or done.

    Attributes:
        positions: where they are in the set.
        digests: digest of every image that could be read, by position.
        pending: positions whose features were not stored; row i of `pixels` and `features` belongs to pending[i].
        pixels: (P, 3, size, size) uint8, until the features are there.
        features: (P, D), or None where nothing was pending.
        failures: what went wrong, by position.
    """

    positions: Sequence[int]
    digests: dict[int, bytes] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    pixels: Tensor | None = None
    features: Features | None = None
    failures: dict[int, UnreadableImage] = field(default_factory=dict)


@dataclass(frozen=True)
class Extraction:
    """What is done to each batch of a set.

    Attributes:
        images: the set.
        known: the digest of each image, by position, that needs no reading, or None.
        is_stored: tells which digests have features already; called from several threads.
        backbone: gives the features.
        view: applied to the pixels before the backbone's preprocessing.
        batch_size: images in every batch but the last.
    """

    images: ImageSet
    known: Sequence[bytes | None] | Mapping[int, bytes | None]
    is_stored: Callable[[Sequence[bytes]], NDArray[np.bool_]]
    backbone: Backbone
    view: View
    batch_size: int

    def run(self, batches: Iterable[Sequence[int]]) -> Iterator[Batch]:
        """Batches with their features, in order; nothing is left running when the iterator is closed."""
        if self.backbone.device.type == "cpu":
            yield from ahead(lambda positions: self._embed(self._prepare(positions)), batches, torch.get_num_threads())
        else:
            for batch in ahead(self._prepare, batches, min(8, os.cpu_count() or 1)):
                yield self._embed(batch)

    def _prepare(self, positions: Sequence[int]) -> Batch:
        batch = Batch(positions)
        contents = self._read(batch)
        readable = list(batch.digests)
        stored = self.is_stored([batch.digests[position] for position in readable])
        decoded = []
        for position, done in zip(readable, stored, strict=True):
            if done:
                continue
            try:
                content = contents.pop(position, None)
                if content is None:  # the file may have changed since its digest was taken
                    content = self.images.read(position)
                    batch.digests[position] = hashlib.sha256(content).digest()
                image = decode_image(content, self.images.where(position))
            except UnreadableImage as error:
                batch.failures[position] = error
                del batch.digests[position]
                continue
            batch.pending.append(position)
            decoded.append(self.view.apply(pixels_of(image)))
        if decoded:
            with _explained(self.backbone):
                batch.pixels = self.backbone.preprocessing.fit(decoded)
        return batch

    def _read(self, batch: Batch) -> dict[int, bytes]:
        """Find every digest; returns the contents that had to be read for it, by position."""
        contents: dict[int, bytes] = {}
        for position in batch.positions:
            digest = self.known[position]
            if digest is None:
                try:
                    contents[position] = self.images.read(position)
                except UnreadableImage as error:
                    batch.failures[position] = error
                    continue
                digest = hashlib.sha256(contents[position]).digest()
            batch.digests[position] = digest
        return contents

    def _embed(self, batch: Batch) -> Batch:
        if batch.pixels is not None:
            batch.features = checked_features(self.backbone, batch.pixels, self.batch_size)
            batch.pixels = None
        return batch


def checked_features(backbone: Backbone, pixels: Tensor, batch_size: int) -> Features:
    """Features (B, D) of uint8 pixels (B, 3, H, W) as they are stored; B is at most `batch_size`.

    Raises:
        InvalidInput: the backbone fails, or gives anything but one finite row per image.
    """
    rows = len(pixels)
    if backbone.compile and rows < batch_size:  # else this number of images is compiled anew
        pixels = torch.cat([pixels, pixels.new_zeros(batch_size - rows, *pixels.shape[1:])])
    with _explained(backbone):
        return _checked(features_of(backbone.load(), pixels)[:rows], backbone)


def ahead(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results of `work` in the order of the items, made by threads that compute with one thread each.

    Two items per worker are under way; nothing is left running when the iterator is closed.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="oodkit", initializer=compute_with_one_thread)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_batch_size(backbone: Backbone) -> int:
    """How many images go through a backbone at once.

    On a CPU: a power of two for which a network's widest layers stay below the size from which the C library asks the
    system for fresh memory in every layer, which costs more than larger batches gain. It depends on image size and
    precision, never on the number of cores, which would show in the features' last digits.
    """
    if backbone.device.type != "cpu":
        return 256
    item_bytes = 4 if backbone.precision == "fp32" else 2
    fitting = CPU_BATCH_BYTES // (item_bytes * backbone.image_size**2)
    return min(64 // item_bytes, 1 << (max(1, fitting).bit_length() - 1))


def features_of(backbone: Backbone, pixels: Tensor) -> Features:
    """Features (B, D) of uint8 pixels (B, 3, H, W), as they are stored: float16 for precision fp16, else float32."""
    with torch.inference_mode():
        features = backbone.embed_pixels(pixels.to(backbone.device).float().div_(255))
        array: Features = (features.half() if backbone.precision == "fp16" else features).cpu().numpy()
        return array


def _checked(features: Features, backbone: Backbone) -> Features:
    """Features that may be stored: one finite row per image."""
    if features.ndim != 2:
        raise InvalidInput(f"backbone {backbone.name} must give features (B, D), got {features.shape}")
    if not np.isfinite(features).all():
        raise InvalidInput(
            f"backbone {backbone.name} gives NaN or infinity in {backbone.numerics}; check its weights, or use fp32"
        )
    return features


@contextmanager
def _explained(backbone: Backbone) -> Iterator[None]:
    """What torch raises while a backbone runs, as one line."""
    try:
        yield
    except (RuntimeError, TypeError, ValueError, MemoryError) as error:
        if isinstance(error, OodkitError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InvalidInput(
            f"backbone {backbone.name} fails on images of {backbone.image_size} px ({type(error).__name__}: {reason}); "
            "try another --image-size, or a smaller one if memory is short"
        ) from error


def compute_with_one_thread() -> None:
    """Let torch compute with one thread in the calling thread, and change nothing for any other thread.

    OpenMP keeps this number per thread. Torch sets it once in every new thread, so that has to come first.
    """
    torch.get_num_threads()
    threadpool_limits(1, user_api="openmp")
