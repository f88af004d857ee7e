"""Images that contents show, for programs: handed in as a file, as base64 or by an address; listed."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from ninja import Field, Query, Router, Status
from pydantic import ValidationError

from standfast.components.content.images import BYTES_MAX, ImageRefused, address_of, fetch_image, keep_image
from standfast.components.content.models import ContentImage
from standfast.platform.rest.finding import Paging, page_of, page_shape
from standfast.platform.rest.operation import Given, Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, Problem, unprocessable
from standfast.platform.rest.validation import faults_of

router = Router(tags=["Images"])
URL_MAX = 2000
FILE = "image"
OTHER = f"send a PNG, JPEG, GIF or WebP image of at most {BYTES_MAX // 1024**2} MB"


class ImageIn(Given):
    """One of the two: the bytes, or where they are fetched from."""

    data: str | None = Field(None, max_length=2 * BYTES_MAX, description="PNG, JPEG, GIF or WebP in base64.")
    url: str | None = Field(None, max_length=URL_MAX, description="Fetched once, now, from the public internet.")


class ImageOut(Schema):
    digest: str = Field(description="SHA-256 of the bytes: the same image is kept once.")
    url: str = Field(description="For the src of an img; it never means another image.")
    kind: str
    size_bytes: int
    created_at: dt.datetime


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ImageIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "properties": {FILE: {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@operation(
    router,
    "GET",
    "/content-images",
    scope="content:read",
    response=page_shape(ImageOut),
    summary="List images, in the order of their digests",
)
def images(request: Request, paging: Query[Paging]) -> dict[str, Any]:
    found = ContentImage.objects.filter(account_id=request.account_id).defer("data")
    return page_of(found, paging, by="digest", show=_row)


@operation(
    router,
    "POST",
    "/content-images",
    scope="content:write",
    response={201: ImageOut},
    summary="Keep an image",
    openapi_extra=_BODY,
)
def keep(request: Request) -> Status[dict[str, Any]]:
    """As the file `image` of a form, or as JSON. At most 5 MB, and 1 GB in all; no SVG, which may hold scripts."""
    form = (request.content_type or "").lower() == "multipart/form-data"
    field, data = _of_form(request) if form else _of_json(request)
    try:
        return Status(201, _row(keep_image(account_id=request.account_id, data=data)))
    except ImageRefused as refused:
        raise unprocessable(FieldFault(field, str(refused), OTHER)) from None


def _of_form(request: Request) -> tuple[str, bytes]:
    field = f"body.{FILE}"
    try:
        file = request.FILES.get(FILE)
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Problem(400, "The form cannot be read", detail=str(error)) from None
    if file is None:
        raise unprocessable(FieldFault(field, "is missing", f"send the image as the file `{FILE}` of the form"))
    if (file.size or 0) > BYTES_MAX:
        raise unprocessable(FieldFault(field, f"is larger than {BYTES_MAX // 1024**2} MB", OTHER))
    return field, file.read()


def _of_json(request: Request) -> tuple[str, bytes]:
    try:
        given = ImageIn.model_validate_json(request.body or b"{}")
    except ValidationError as error:
        faults = faults_of(error.errors(), lambda found: ".".join(map(str, ("body", *found))))
        raise Problem(422, "The request is not valid", faults=faults) from None
    if (given.data is None) == (given.url is None):
        raise unprocessable(FieldFault("body", "names no image or two", "send `data` or `url`, and not both"))
    if given.data is not None:
        try:
            return "body.data", base64.b64decode(given.data, validate=True)
        except (binascii.Error, ValueError):
            raise unprocessable(
                FieldFault("body.data", "is not base64", "send the bytes as in RFC 4648 section 4")
            ) from None
    try:
        return "body.url", fetch_image(str(given.url))
    except ImageRefused as refused:
        raise unprocessable(FieldFault("body.url", str(refused), OTHER)) from None


def _row(image: ContentImage) -> dict[str, Any]:
    return {
        "digest": image.digest, "url": address_of(image), "kind": image.kind, "size_bytes": image.size,
        "created_at": image.created_at,
    }  # fmt: skip
