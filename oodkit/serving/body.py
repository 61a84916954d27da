"""A limit on the size of a request's body, kept while it arrives."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """An application that is never given more than `most` bytes of a body: beyond, it is told 413.

    What a caller sends after the answer is read by uvicorn and dropped: to close the connection on bytes in flight
    would take the answer away with them.

    Args:
        app: the application; it answers the `HTTPException`.
        most: bytes.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        seen = int(announced) if announced.isdecimal() else 0
        too_large = HTTPException(
            413, f"the body is larger than {self._most:,} bytes; send fewer or smaller images at once"
        )
        if seen > self._most:
            receive = _raising(too_large)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise too_large
            return message

        await self._app(scope, counted, send)


def _raising(error: Exception) -> Receive:
    async def receive() -> Message:
        raise error

    return receive
