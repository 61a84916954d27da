"""The images in the body of a request: multipart as browsers and curl send files, or JSON with base64."""

import asyncio
import base64
import binascii
from dataclasses import dataclass

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile

from oodkit.serving.limits import Limits
from oodkit.serving.one_line import one_line

MULTIPART, JSON = "multipart/form-data", "application/json"


@dataclass(frozen=True)
class Upload:
    """An image as it was sent: a name, and the file's bytes."""

    name: str
    data: bytes


class EncodedImage(BaseModel):
    """One image of a JSON body."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, description="What the answer calls the image.")
    data: str = Field(description="The image file in base64.", json_schema_extra={"format": "byte"})


class EncodedImages(BaseModel):
    """A JSON body."""

    model_config = ConfigDict(extra="forbid")

    images: list[EncodedImage] = Field(min_length=1)


async def read_uploads(request: Request, limits: Limits) -> list[Upload]:
    """The images that a request brings, in order; those without a name are called "image 0", "image 1", ...

    Raises:
        HTTPException: 400 a body that cannot be taken apart, 408 one that takes too long, 413 one that is too large,
            415 one of another kind, 422 one with too many images.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(limits.body_seconds):
            if kind == MULTIPART:
                uploads = await _files(request, limits)
            elif kind == JSON:
                body = await request.body()
                uploads = await asyncio.to_thread(_decoded, body, limits)
            else:
                raise HTTPException(415, f"send images as {MULTIPART} or {JSON}, got {kind or 'no content type'!r}")
    except TimeoutError as error:
        raise HTTPException(408, f"the body did not arrive within {limits.body_seconds:g} seconds") from error
    return uploads


async def _files(request: Request, limits: Limits) -> list[Upload]:
    try:
        async with request.form(max_files=limits.images + 1, max_fields=limits.images) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            if not files:
                raise HTTPException(400, "the form has no file; send each image as a part with a file name")
            if len(files) > limits.images:
                raise _too_many(limits)
            return [Upload(file.filename or f"image {place}", await file.read()) for place, file in enumerate(files)]
    except FormParserError as error:  # older versions of starlette let it through
        raise HTTPException(400, "the form is damaged; send it again") from error


def _decoded(body: bytes, limits: Limits) -> list[Upload]:
    try:
        images = EncodedImages.model_validate_json(body).images
    except ValidationError as error:
        raise HTTPException(400, one_line(error.errors(include_url=False, include_input=False))) from error
    if len(images) > limits.images:
        raise _too_many(limits)
    return [_upload(image, place) for place, image in enumerate(images)]


def _upload(image: EncodedImage, place: int) -> Upload:
    name = image.name or f"image {place}"
    try:
        return Upload(name, base64.b64decode(image.data, validate=True))
    except (binascii.Error, ValueError) as error:  # ValueError: letters beyond ASCII
        raise HTTPException(400, f"the data of {name!r} is not base64") from error


def _too_many(limits: Limits) -> HTTPException:
    return HTTPException(422, f"a request may bring {limits.images} images; send the others in further ones")
