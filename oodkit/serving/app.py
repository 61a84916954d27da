"""The application: what is asked for, and where it is answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

import oodkit
from oodkit.detector import Detector
from oodkit.errors import InvalidInput, OodkitError, UnreadableImage
from oodkit.serving import page_files
from oodkit.serving.admission import Admission, Full
from oodkit.serving.answers import Answer, Health, Refusal
from oodkit.serving.body import BodyLimit
from oodkit.serving.gone import unless_gone
from oodkit.serving.judge import Judge
from oodkit.serving.limits import Limits
from oodkit.serving.metrics import GONE, Measured, Metrics
from oodkit.serving.one_line import one_line
from oodkit.serving.stopping import Stopping
from oodkit.serving.uploads import JSON, MULTIPART, EncodedImage, read_uploads

RETRY_SECONDS = 1
MOST_NEIGHBOURS = 100
_PATHS = frozenset({"/predict", "/health", "/metrics", "/docs", "/openapi.json"}) | page_files.PATHS
_BODY = {
    "required": True,
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "properties": {
                    "images": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                },
                "required": ["images"],
            }
        },
        JSON: {
            "schema": {
                "type": "object",
                "properties": {"images": {"type": "array", "minItems": 1, "items": EncodedImage.model_json_schema()}},
                "required": ["images"],
                "additionalProperties": False,
            }
        },
    },
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The body cannot be taken apart."},
    408: {"model": Refusal, "description": "The body did not arrive in time."},
    413: {"model": Refusal, "description": "The body is too large."},
    415: {"model": Refusal, "description": "The body is neither a form nor JSON."},
    422: {"model": Refusal, "description": "An image cannot be read, or has too many pixels; or too many images."},
    500: {"model": Refusal, "description": "The backbone fails on an image."},
    503: {"model": Refusal, "description": "Too many images are waiting; see Retry-After."},
}


def create_app(detector: Detector, limits: Limits | None = None) -> FastAPI:
    """An ASGI application that answers with a detector's verdicts.

    Args:
        detector: calibrated.
        limits: on what is sent and what waits.

    Raises:
        NotFitted: the detector is not calibrated.
        OodkitError: its backbone does not work.
    """
    bounds = limits or Limits()
    calibration = detector.calibration
    if calibration is None:
        raise InvalidInput("this detector has no threshold, so it gives no verdicts; fit one with `oodkit fit`")
    metrics = Metrics()
    judge, admission = Judge(detector, bounds, metrics), Admission(bounds.queue)
    metrics.watch(queue=judge.__len__, inside=lambda: admission.inside)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        judge.close()

    app = FastAPIOffline(
        redoc_url=None,
        title="oodkit",
        summary="Out-of-distribution detection for images.",
        version=oodkit.__version__,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(BodyLimit, most=bounds.body_bytes)
    app.add_middleware(Stopping)
    app.add_middleware(Measured, metrics=metrics, paths=_PATHS)
    app.include_router(page_files.page_routes())

    @app.post("/predict", openapi_extra={"requestBody": _BODY}, responses=_REFUSALS)
    async def predict(
        request: Request,
        neighbours: Annotated[int, Query(ge=0, le=MOST_NEIGHBOURS, description="Fit images to name for each.")] = 3,
    ) -> Answer:
        """Tell which images are out-of-distribution. If one cannot be read, the whole request is refused."""
        with admission.admit(1):  # from now on, since a body in memory weighs as much as a decoded image
            uploads = await read_uploads(request, bounds)
            with admission.admit(len(uploads) - 1):
                verdicts = await unless_gone(request, judge.verdicts(uploads, neighbours))
        metrics.judged(verdicts)
        return Answer.of(calibration, verdicts)

    @app.get("/health")
    async def health() -> Health:
        """Whether the server works, what with, and what may be sent."""
        return Health.of(detector, calibration, bounds)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {metrics.content_type: {}}}})
    async def show_metrics() -> Response:
        """Requests, queue, batches and verdicts, for Prometheus."""
        return Response(metrics.text(), headers={"Content-Type": metrics.content_type})

    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"error": one_line(error.errors())}, 422)


async def _full(_: Request, __: Exception) -> Response:
    message = "too many images are waiting; try again in a second"
    return JSONResponse({"error": message}, 503, {"Retry-After": str(RETRY_SECONDS)})


async def _unreadable(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _failed(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 500)


async def _fault(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "a fault of the server; its log says more"}, 500)


async def _nobody(_: Request, __: Exception) -> Response:
    return Response(status_code=int(GONE))


_HANDLERS = {
    AnyHTTPException: _refused,
    RequestValidationError: _invalid,
    Full: _full,
    UnreadableImage: _unreadable,
    OodkitError: _failed,
    ClientDisconnect: _nobody,
    Exception: _fault,
}
