"""From the images of a request to verdicts, through batches that requests share."""

import asyncio
import dataclasses
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from oodkit.backbones.preprocessing import pixels_of
from oodkit.data.images import decode_image
from oodkit.detector import Detector, Verdict
from oodkit.embedding.extraction import checked_features, compute_with_one_thread, default_batch_size
from oodkit.serving.batching import Batcher
from oodkit.serving.limits import Limits
from oodkit.serving.metrics import Metrics
from oodkit.serving.uploads import Upload

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Ready:
    """An image as the backbone takes it, (1, 3, size, size) uint8, and how many neighbours to name."""

    name: str
    pixels: Tensor
    neighbours: int


class Judge:
    """A detector that several requests ask at once.

    On a CPU each core computes for a batch of its own with one thread, as `oodkit predict` does: the same digits at the
    same cost. On a GPU one thread feeds it.

    Args:
        detector: calibrated.
        limits: of images and batches.
        metrics: what is counted.

    Raises:
        OodkitError: the backbone does not work, or the detector is not calibrated.
    """

    def __init__(self, detector: Detector, limits: Limits, metrics: Metrics) -> None:
        self._detector, self._limits, self._metrics = detector, limits, metrics
        on_cpu = detector.backbone.device.type == "cpu"
        self._batch_size = limits.batch or default_batch_size(detector.backbone)
        self._scoring = threading.Lock()
        self._warm_up()  # what does not work is found here
        self._decoders = ThreadPoolExecutor(
            min(8, os.cpu_count() or 1), thread_name_prefix="oodkit-decode", initializer=compute_with_one_thread
        )
        self._batches: Batcher[_Ready, Verdict] = Batcher(
            self._counted,
            most=self._batch_size,
            delay_seconds=limits.delay_seconds,
            workers=torch.get_num_threads() if on_cpu else 1,
            start=self._start_on_cpu if on_cpu else lambda: None,
        )

    def __len__(self) -> int:
        """Images that wait for a batch."""
        return len(self._batches)

    async def verdicts(self, uploads: Sequence[Upload], neighbours: int) -> list[Verdict]:
        """A verdict for each image, in order.

        If the caller is cancelled, what has not begun is not done.

        Raises:
            UnreadableImage: the first that cannot be read; then none is judged.
            InvalidInput: the backbone fails on an image.
        """
        loop = asyncio.get_running_loop()
        ready = await _all([loop.run_in_executor(self._decoders, self._decode, one, neighbours) for one in uploads])
        return await _all([asyncio.wrap_future(self._batches.submit(one)) for one in ready])

    def close(self) -> None:
        """Finish what waits, and end the threads."""
        self._batches.close()
        self._decoders.shutdown(cancel_futures=True)

    def _start_on_cpu(self) -> None:
        compute_with_one_thread()
        self._warm_up()  # each thread's first pass takes several times as long

    def _warm_up(self) -> None:
        size = self._detector.backbone.image_size
        self._judged([_Ready("", torch.zeros(1, 3, size, size, dtype=torch.uint8), 1)])

    def _decode(self, upload: Upload, neighbours: int) -> _Ready:
        image = decode_image(upload.data, upload.name, max_pixels=self._limits.pixels)
        return _Ready(upload.name, self._detector.backbone.preprocessing.fit([pixels_of(image)]), neighbours)

    def _counted(self, batch: Sequence[_Ready]) -> list[Verdict]:
        with self._metrics.batch(len(batch)):
            return self._judged(batch)

    def _judged(self, batch: Sequence[_Ready]) -> list[Verdict]:
        features = checked_features(self._detector.backbone, torch.cat([one.pixels for one in batch]), self._batch_size)
        names, most = [one.name for one in batch], max(one.neighbours for one in batch)
        with self._scoring:  # scorers keep working memory from call to call
            found = self._detector.judge_features(names, features, neighbours=most)
        return [
            dataclasses.replace(verdict, neighbours=verdict.neighbours[: one.neighbours])
            for one, verdict in zip(batch, found, strict=True)
        ]


async def _all(futures: "Sequence[asyncio.Future[Result]]") -> list[Result]:
    """Their results in order, or the first one's error; if the caller is cancelled, so are they."""
    done = await asyncio.gather(*futures, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]
