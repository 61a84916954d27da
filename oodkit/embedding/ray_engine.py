"""Extraction as a Ray Data pipeline: many workers, on one machine or a cluster, that give the same features."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.data.image_set import ImageSet
from oodkit.embedding.extraction import Batch, Extraction
from oodkit.errors import InvalidInput, MissingDependency, OodkitError
from oodkit.views import load_view

IMAGES_PER_TASK = 512  # what a killed worker loses, and another does again
STORE_BYTES = 128 * 2**20  # of features on their way, in a cluster that is started here


def run_on_ray(extraction: Extraction, batches: Sequence[Sequence[int]], workers: int | None = None) -> Iterator[Batch]:
    """Batches with their features, in order, made by workers of a Ray cluster; as `Extraction.run` gives them.

    A task of some batches that is lost with its worker is given to another. Workers read the images themselves, so
    paths must lead to them everywhere; features come back to this process, which alone writes to the store. The cluster
    is the one that runs here already or that RAY_ADDRESS names, else one on this machine for as long as this takes.

    Args:
        extraction: what is done to each batch.
        batches: positions in the set.
        workers: how many, with one CPU each, or one GPU each if the backbone is on one; None: as many as there are.

    Raises:
        MissingDependency: Ray is not installed.
        InvalidInput: fewer than one worker, or workers that load another backbone under this name.
        OodkitError: a batch fails, or the cluster does.
    """
    if workers is not None and workers < 1:
        raise InvalidInput(f"workers must be at least 1, got {workers}")
    ray = _require_ray()
    tasks = [{"task": ray.cloudpickle.dumps(task)} for task in _tasks(extraction, batches)]
    with _cluster(ray, workers) as cluster:
        on_gpu = extraction.backbone.device.type == "cuda"
        images = ray.put(extraction.images)  # kept here, so that a worker that takes another's place finds them
        room = max(1, int(cluster.get("GPU" if on_gpu else "CPU", 1)))
        done = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map(
            Worker,
            fn_constructor_args=(_Recipe.of(extraction, images),),
            compute=ray.data.ActorPoolStrategy(size=min(workers or room, room, len(tasks))),
            num_cpus=None if on_gpu else 1,
            num_gpus=1 if on_gpu else None,
        )
        try:
            for row in done.iter_rows():
                result = ray.cloudpickle.loads(row["batches"])
                if isinstance(result, OodkitError):
                    raise result
                yield from result
        except ray.exceptions.RayError as error:
            reason = " ".join(str(error).split())[:200]
            raise OodkitError(f"Ray failed ({type(error).__name__}: {reason}); what was stored is kept") from error


@dataclass(frozen=True)
class _Recipe:
    """What every worker needs to know."""

    images: Any  # reference of the image set
    backbone: str
    fingerprint: str
    image_size: int
    device: str
    precision: Any
    compile: bool
    view: str
    batch_size: int

    @classmethod
    def of(cls, extraction: Extraction, images: Any) -> "_Recipe":
        backbone = extraction.backbone
        return cls(
            images,
            backbone.name,
            backbone.fingerprint,
            backbone.image_size,
            backbone.device.type,
            backbone.precision,
            backbone.compile,
            extraction.view.name,
            extraction.batch_size,
        )

    def load(self) -> Backbone:
        """The backbone by its name, whichever preprocessing it was given."""
        for size in (None, self.image_size):
            backbone = load_backbone(
                self.backbone, image_size=size, device=self.device, precision=self.precision, compile=self.compile
            )
            if backbone.fingerprint == self.fingerprint:
                return backbone
        raise InvalidInput(f"workers load another backbone as {self.backbone}: its files must be the same everywhere")


@dataclass(frozen=True)
class _Task:
    """Some batches of the set, the digests of their images as far as they are known, and those that are stored."""

    batches: list[list[int]]
    known: dict[int, bytes | None]
    stored: frozenset[bytes]


class Worker:
    """Loads the backbone once, then makes features task after task."""

    def __init__(self, recipe: _Recipe) -> None:
        self._recipe = recipe
        self._backbone: Backbone | None = None
        self._images: ImageSet = _require_ray().get(recipe.images)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """The batches of a task, or the error that stopped them: Ray would wrap what is raised."""
        ray: Any = _require_ray()
        try:
            result: object = list(self._run(ray.cloudpickle.loads(row["task"])))
        except OodkitError as error:
            result = error
        return {"batches": ray.cloudpickle.dumps(result)}

    def _run(self, task: _Task) -> Iterator[Batch]:
        if self._backbone is None:
            self._backbone = self._recipe.load()
        recipe = self._recipe

        def is_stored(digests: Sequence[bytes]) -> NDArray[np.bool_]:
            return np.array([digest in task.stored for digest in digests], dtype=np.bool_)

        view = load_view(recipe.view)
        extraction = Extraction(self._images, task.known, is_stored, self._backbone, view, recipe.batch_size)
        yield from extraction.run(task.batches)


def _tasks(extraction: Extraction, batches: Sequence[Sequence[int]]) -> Iterator[_Task]:
    per_task = max(1, IMAGES_PER_TASK // extraction.batch_size)
    for start in range(0, len(batches), per_task):
        some = [list(batch) for batch in batches[start : start + per_task]]
        known = {place: extraction.known[place] for batch in some for place in batch}
        digests = [digest for digest in known.values() if digest is not None]
        stored = extraction.is_stored(digests)
        yield _Task(some, known, frozenset(digest for digest, there in zip(digests, stored, strict=True) if there))


def _require_ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingDependency("--engine ray needs the package ray; pip install 'oodkit-vision[ray]'") from error
    return ray


@contextmanager
def _cluster(ray: Any, workers: int | None) -> Iterator[dict[str, float]]:
    """Resources of a cluster that is used, and ended if it was started here; Ray Data's settings are put back."""
    own = not ray.is_initialized()
    with redirect_stdout(sys.stderr):  # Ray tells of workers that died on stdout, where results belong, until it ends
        if own:
            _start(ray, workers)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        before = context.enable_progress_bars, context.execution_options.preserve_order
        context.enable_progress_bars, context.execution_options.preserve_order = False, True
        try:
            yield ray.cluster_resources()
        finally:
            context.enable_progress_bars, context.execution_options.preserve_order = before
            if own:
                ray.shutdown()


def _start(ray: Any, workers: int | None) -> None:
    """Join the cluster that RAY_ADDRESS names, or start a small one here that asks nobody and serves no pages."""
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    before = os.environ.get("RAY_USAGE_STATS_ENABLED")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        ray.init(num_cpus=workers, include_dashboard=False, object_store_memory=STORE_BYTES, **quiet)
    finally:
        if before is None:
            del os.environ["RAY_USAGE_STATS_ENABLED"]
        else:
            os.environ["RAY_USAGE_STATS_ENABLED"] = before
