"""What a server counts, in the form that Prometheus reads."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oodkit.detector import Verdict

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
P_VALUES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
OTHER_PATH = "other"
GONE = "499"  # the caller went away before the answer, as nginx writes it


class Metrics:
    """Counters of one server, apart from those of the process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "oodkit_requests",
            "Requests by path and status; errors are those from 400 on.",
            ["path", "status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "oodkit_request_seconds",
            "From a request's first byte to its answer's last.",
            ["path"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._images = Counter("oodkit_images", "Images judged, by verdict.", ["verdict"], registry=self._registry)
        self._p_values = Histogram(
            "oodkit_p_value",
            "Of the images judged; those of in-distribution images are spread evenly over 0 to 1.",
            buckets=P_VALUES,
            registry=self._registry,
        )
        self._queue = Gauge("oodkit_queue_length", "Images that wait for a batch.", registry=self._registry)
        self._inside = Gauge("oodkit_images_inside", "Images in requests under way.", registry=self._registry)
        self._batch_images = Histogram(
            "oodkit_batch_images", "Images in a batch.", buckets=IMAGES, registry=self._registry
        )
        self._batch_seconds = Histogram(
            "oodkit_batch_seconds",
            "Of the backbone and the scorer for a batch.",
            buckets=SECONDS,
            registry=self._registry,
        )

    def watch(self, *, queue: Callable[[], int], inside: Callable[[], int]) -> None:
        """Ask these for lengths whenever they are shown."""
        self._queue.set_function(queue)
        self._inside.set_function(inside)

    @contextmanager
    def batch(self, images: int) -> Iterator[None]:
        """Count a batch and time it."""
        self._batch_images.observe(images)
        with self._batch_seconds.time():
            yield

    def judged(self, verdicts: Iterable[Verdict]) -> None:
        """Count what was found."""
        for verdict in verdicts:
            self._images.labels("ood" if verdict.ood else "in").inc()
            if verdict.p_value is not None:
                self._p_values.observe(verdict.p_value)

    def request(self, path: str, status: str, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, status).inc()
        self._request_seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """All of it, for `GET /metrics`."""
        return generate_latest(self._registry)


class Measured:
    """An application whose requests are counted.

    Args:
        app: the application.
        metrics: where.
        paths: that are told apart; callers can think of any number of others.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = GONE, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            path = scope["path"] if scope["path"] in self._paths else OTHER_PATH
            self._metrics.request(path, status, time.perf_counter() - started)
