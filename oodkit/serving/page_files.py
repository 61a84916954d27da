"""The page for people: drop an image, read the verdict. It asks nobody but this server for anything."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
PATHS = frozenset(_FILES)


def page_routes() -> APIRouter:
    """`GET /` and what it needs."""
    router = APIRouter(include_in_schema=False)
    for path, (name, kind) in _FILES.items():
        content = files("oodkit.serving").joinpath("page", name).read_bytes()
        router.add_api_route(path, _sender(content, kind), methods=["GET", "HEAD"])
    return router


def _sender(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return Response(
            content, media_type=kind, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        )

    return send
