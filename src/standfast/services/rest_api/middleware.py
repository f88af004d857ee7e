"""What holds for every call of the service: a request id, its time, an ETag, and never an unexplained 500."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from standfast.platform.caller import caller_address
from standfast.platform.rest.answers import to_json
from standfast.services.rest_api import own

log = structlog.get_logger()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
NOTHING = "default-src 'none'; frame-ancestors 'none'"  # an answer to a program is no page
EXPLORER = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_ETAG_BYTES_MAX = 4 * 1024 * 1024


def calls(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware around every call."""

    def answer(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        request.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())  # type: ignore[attr-defined]
        request.address = caller_address(request.META)  # type: ignore[attr-defined]
        response = _of_own(request, get_response) if request.path.startswith(own.PREFIX) else get_response(request)
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        response.headers["X-Runtime"] = f"{time.perf_counter() - began:.6f}"
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Content-Security-Policy", EXPLORER if request.path == own.EXPLORER else NOTHING)
        return _conditional(request, response)

    answer.process_exception = explain  # type: ignore[attr-defined]
    return answer


def _of_own(request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    try:
        return own.guarded(request, get_response)
    except Exception as error:  # before or after the operation, whose own come to process_exception
        return explain(request, error)


def explain(request: HttpRequest, error: Exception) -> HttpResponse:
    """What was not foreseen: a sentence and the request's id for the caller, the traceback for the log."""
    request_id = request.request_id  # type: ignore[attr-defined]
    if isinstance(error, RequestDataTooBig):
        return _said(413, "The body is too large.", request_id)
    if isinstance(error, DataError | BadRequest | SuspiciousOperation | UnreadablePostError):
        log.info("a call could not be taken", error=str(error)[:300], request=request_id)
        return _said(
            400,
            "The request holds a value that cannot be stored: a NUL character or a number out of range.",
            request_id,
        )
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database does not answer", error=str(error).strip()[:300], request=request_id)
        response = _said(503, "The database does not answer. Nothing was changed; try again.", request_id)
        response.headers["Retry-After"] = "2"
        return response
    log.error("a call failed", exc_info=error, request=request_id, path=request.path)
    return _said(500, f"Something went wrong. Nothing was changed. Tell us the request id {request_id}.", request_id)


def _said(status: int, text: str, request_id: str) -> HttpResponse:
    body = {"type": "about:blank", "title": text, "status": status, "instance": request_id, "error": text}
    return HttpResponse(to_json(body), status=status, content_type="application/problem+json")


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A weak ETag on what was read, and 304 where the caller has it already (RFC 9110 section 13.1.2)."""
    if (
        request.method != "GET"
        or response.status_code != 200
        or response.streaming
        or len(response.content) > _ETAG_BYTES_MAX
    ):
        return response
    tag = response.headers.get("ETag") or f'W/"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    wanted = {each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")}
    if tag.removeprefix("W/") in wanted:
        unchanged = HttpResponse(status=304)
        for name in ("ETag", "X-Request-Id", "X-Runtime", "Cache-Control"):
            unchanged.headers[name] = response.headers[name]
        return unchanged
    return response
