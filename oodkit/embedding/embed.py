"""Embed a data set: every image once, whatever set, subset or order it turns up in."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.data import load_dataset
from oodkit.data.image_set import FileStamp, ImageSet
from oodkit.embedding.embeddings import Embeddings
from oodkit.embedding.extraction import Batch, Extraction, default_batch_size
from oodkit.embedding.shard import Space
from oodkit.embedding.store import MissingFeatures, Store
from oodkit.errors import DataNotFound, InvalidInput, StoreError, UnreadableImage
from oodkit.progress import progress
from oodkit.views import load_view, views
from oodkit.views.view import View

_log = logging.getLogger(__name__)

IMAGES_PER_SHARD = 512

Engine = Literal["local", "ray"]


def embed(
    dataset: ImageSet | str,
    backbone: Backbone | str = "efficientnet_lite0",
    *,
    view: str = "identity",
    cache: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
    batch_size: int | None = None,
    shard: tuple[int, int] = (1, 1),
    engine: Engine = "local",
    workers: int | None = None,
) -> Embeddings:
    """Features of every image of a set, read from the store where they are and computed where not.

    Killed at any moment and called again, it goes on after the last shard written and gives the same bytes.

    Args:
        dataset: an image set, or a name for `load_dataset`.
        backbone: a backbone, or a name for `load_backbone`.
        view: name of a view, applied to the images before the backbone's preprocessing.
        cache: folder of the store; None for OODKIT_CACHE or the platform's cache folder.
        skip_unreadable: leave out images that cannot be read, naming and counting them, instead of stopping.
        batch_size: images per batch; None chooses by device.
        shard: (i, n): only the i-th of n parts of the set's batches, from 1; n processes that take one part each make
            what one process makes of the whole, and what is returned are the images of the part.
        engine: "local", or "ray" for workers of a Ray cluster.
        workers: how many of these; None: as many as the cluster has room for.

    Raises:
        InvalidInput: no such part or engine.
        MissingDependency: an engine that is not installed.
        UnreadableImage: an image cannot be read and `skip_unreadable` is off; what was embedded is kept.
        StoreError: the store cannot be read or written.
    """
    part, parts = shard
    if not 1 <= part <= parts:
        raise InvalidInput(f"shard must be (i, n) with 1 <= i <= n, got {shard}")
    if engine not in get_args(Engine):
        raise InvalidInput(f"engine must be one of {', '.join(get_args(Engine))}, got {engine!r}")
    images = load_dataset(dataset) if isinstance(dataset, str) else dataset
    loaded = load_backbone(backbone) if isinstance(backbone, str) else backbone
    with Store(cache) as store:
        run = _Run(images, loaded, load_view(view), store, skip_unreadable, batch_size, shard, engine, workers)
        return run.embeddings()


class _Run:
    """One set going through one backbone into the store."""

    def __init__(
        self,
        images: ImageSet,
        backbone: Backbone,
        view: View,
        store: Store,
        skip_unreadable: bool,
        batch_size: int | None,
        shard: tuple[int, int] = (1, 1),
        engine: Engine = "local",
        workers: int | None = None,
    ) -> None:
        self.images, self.backbone, self.view, self.store = images, backbone, view, store
        self.skip_unreadable = skip_unreadable
        self.batch_size = batch_size or default_batch_size(backbone)
        self.space = Space(backbone.fingerprint, backbone.numerics, view_key(view.name))
        self.engine, self.workers = engine, workers
        part, parts = shard
        size = self.batch_size
        spans = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
        self.spans = spans[part - 1 :: parts]
        self.positions = [i for span in self.spans for i in span]
        self.stamps: list[FileStamp | None] = [None] * len(images)
        for position in self.positions:
            self.stamps[position] = images.stamp(position)
        self.digests = store.remembered(self.stamps)
        self._read_digests_without_stamps()
        self.since = time.time_ns()
        self.skipped: set[int] = set()
        self.computed = 0

    def embeddings(self) -> Embeddings:
        if not len(self.images):
            raise DataNotFound(f"{self.images.name}:{self.images.split} has no images; check the name or the folder")
        for _ in range(3):  # again after a damaged shard was set aside
            self._fill()
            kept = [i for i in self.positions if i not in self.skipped]
            if not self.positions:  # more parts than batches
                return self._result([], [], np.empty((0, self.backbone.dim), dtype=np.float32))
            if not kept:
                raise DataNotFound(f"none of the {len(self.images)} images of {self.images.name} can be read")
            digests = [self._digest(i) for i in kept]
            try:
                return self._result(kept, digests, self.store.gather(self.space, digests))
            except MissingFeatures:
                continue
        raise StoreError(f"the cache at {self.store.folder} loses what is written to it; give --cache another folder")

    def _fill(self) -> None:
        """Bring every image's features into the store."""
        todo = self._batches_to_do()
        if not todo:
            return
        if self.store.read_only and not all(self._is_stored([self.digests[i] for i in self.positions])):
            raise StoreError(
                f"the cache at {self.store.folder} is read-only and lacks features of {self.images.name}; "
                "give --cache a folder that can be written"
            )
        shard = _ShardWriter(self.store, self.space, self.backbone.name, self.since)
        label = f"embedding {self.images.name}:{self.images.split}"
        extraction = Extraction(self.images, self.digests, self._is_stored, self.backbone, self.view, self.batch_size)
        batches = self._run_on_engine(extraction, todo)
        try:
            with progress(label, sum(map(len, todo))) as advance:
                for batch in batches:
                    self._take(batch, shard)
                    advance(len(batch.positions))
        finally:
            batches.close()  # type: ignore[attr-defined]
            shard.write()
        if self.skipped:
            _log.warning("%d unreadable images of %s are left out", len(self.skipped), self.images.name)

    def _run_on_engine(self, extraction: Extraction, todo: list[Sequence[int]]) -> Iterator[Batch]:
        if self.engine == "local":
            return extraction.run(todo)
        from oodkit.embedding.ray_engine import run_on_ray

        return run_on_ray(extraction, todo, self.workers)

    def _take(self, batch: Batch, shard: "_ShardWriter") -> None:
        for position, error in batch.failures.items():
            if not self.skip_unreadable:
                raise error
            if position not in self.skipped:
                _log.warning("left out: %s", error)
            self.skipped.add(position)
        stamped = []
        for position, digest in batch.digests.items():
            stamp = self.stamps[position]
            if stamp is not None and self.digests[position] is None:
                stamped.append((stamp, digest))
            self.digests[position] = digest
        shard.add([batch.digests[position] for position in batch.pending], batch.features, stamped)
        self.computed += len(batch.pending)

    def _read_digests_without_stamps(self) -> None:
        """Read what no stamp speaks for, so that a set that is stored whole needs neither backbone nor writing."""
        for position in self.positions:
            stamp = self.stamps[position]
            if self.digests[position] is None and (stamp is None or self.store.read_only):
                try:
                    self.digests[position] = bytes.fromhex(self.images.digest(position))
                except UnreadableImage:
                    continue  # reported when its batch is read

    def _batches_to_do(self) -> list[Sequence[int]]:
        """Batches by position in the set, so that a run that goes on has the batches of one that was never stopped."""
        stored = dict(zip(self.positions, self._is_stored([self.digests[i] for i in self.positions]), strict=True))
        return [span for span in self.spans if not all(stored[i] or i in self.skipped for i in span)]

    def _is_stored(self, digests: Sequence[bytes | None]) -> NDArray[np.bool_]:
        return self.store.has(self.space, digests)

    def _digest(self, position: int) -> bytes:
        digest = self.digests[position]
        assert digest is not None
        return digest

    def _result(self, kept: list[int], digests: list[bytes], features: NDArray[Any]) -> Embeddings:
        images = self.images
        return Embeddings(
            features=features,
            ids=tuple(images.ids[i] for i in kept),
            labels=None if images.labels is None else images.labels[kept],
            digests=np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), 32),
            class_names=images.class_names,
            dataset=images.name,
            split=images.split,
            backbone=self.backbone.name,
            fingerprint=self.backbone.fingerprint,
            numerics=self.backbone.numerics,
            view=self.view.name,
            skipped=tuple(images.ids[i] for i in sorted(self.skipped)),
            computed=self.computed,
        )


class _ShardWriter:
    """Collects batches and writes them as shards of a few hundred images."""

    def __init__(self, store: Store, space: Space, backbone: str, since: int) -> None:
        self.store, self.space, self.backbone, self.since = store, space, backbone, since
        self._start()

    def add(self, digests: list[bytes], features: NDArray[Any] | None, stamped: list[tuple[FileStamp, bytes]]) -> None:
        """Take one batch; write when there are enough."""
        self.stamped += stamped
        if features is not None:
            for digest, row in zip(digests, features, strict=True):
                self.rows.setdefault(digest, row)
        if len(self.stamped) >= IMAGES_PER_SHARD or len(self.rows) >= IMAGES_PER_SHARD:
            self.write()

    def write(self) -> None:
        """Write what was collected."""
        rows, stamped = self.rows, self.stamped
        self._start()
        if rows:
            self.store.add(self.space, self.backbone, list(rows), np.stack(list(rows.values())))
        self.store.remember(stamped, self.since)

    def _start(self) -> None:
        self.rows: dict[bytes, NDArray[Any]] = {}
        self.stamped: list[tuple[FileStamp, bytes]] = []


def view_key(name: str) -> str:
    """What a view is called in the store: its name, and the package and version that it is from if not from oodkit."""
    package = views[name].package
    return f"{name} of {package}" if package else name
