"""How much a server takes on."""

from dataclasses import dataclass, fields

from oodkit.errors import InvalidInput


@dataclass(frozen=True)
class Limits:
    """Bounds on what is sent and on what waits.

    Attributes:
        body_bytes: of one request's body.
        pixels: of one image; they are counted before it is decoded.
        images: of one request.
        queue: images of all requests that are being read, decoded or judged, or wait for that.
        batch: images that go through the backbone at once; None for as many as `oodkit predict` takes.
        delay_seconds: the longest that an image waits for others to fill its batch.
        body_seconds: the longest that a body may take to arrive.
        stop_seconds: the longest that a stopping server waits for requests in flight.
    """

    body_bytes: int = 32 * 2**20
    pixels: int = 50_000_000
    images: int = 64
    queue: int = 256
    batch: int | None = None
    delay_seconds: float = 0.002
    body_seconds: float = 60
    stop_seconds: int = 30

    def __post_init__(self) -> None:
        """Refuse bounds that nothing could pass."""
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if value is not None and name != "delay_seconds" and value < 1:
                raise InvalidInput(f"the limit {name} must be at least 1, got {value}")
        if not 0 <= self.delay_seconds <= 10:
            raise InvalidInput(f"the limit delay_seconds must lie between 0 and 10, got {self.delay_seconds}")
        if self.queue < self.images:
            raise InvalidInput(f"a queue of {self.queue} images never has room for a request of {self.images}")
