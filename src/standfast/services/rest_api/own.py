"""Our own API under /api/v1: OpenAPI 3.1, problem details, idempotency keys, limits told in headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from standfast.components.accounts.api import KeyRefused, Refusal, check_key
from standfast.platform.rest import operation
from standfast.platform.rest.answers import to_json
from standfast.platform.rest.call import CallError, parse_body
from standfast.platform.rest.limits import Busy, Gate
from standfast.platform.rest.problems import FieldFault, Problem

PREFIX = "/api/v1/"
EXPLORER = f"{PREFIX}docs"
OPEN = (EXPLORER, f"{PREFIX}openapi.json")
_KEY = re.compile(r"sf_([0-9]{1,18})_[A-Za-z0-9_-]{20,100}")
GATE = Gate()

Respond = Callable[[HttpRequest], HttpResponse]


class Key(HttpBearer):
    """`Authorization: Bearer sf_...`. The door has checked it already; this tells the OpenAPI document of it."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return getattr(request, "auth", None)


api = NinjaAPI(
    title="Standfast",
    version="1",
    description="Everything the application can do, for programs. Errors are problem details (RFC 9457); writing calls take an "
    "`Idempotency-Key`, kept seven days; lists are paged by cursor; an account has ten calls at a time.",
    auth=Key(),
    urls_namespace="v1",
    openapi_url="openapi.json",
    docs_url="docs",
    docs=Swagger(settings={"persistAuthorization": False, "displayRequestDuration": True}),
)


def guarded(request: HttpRequest, respond: Respond) -> HttpResponse:
    """A call of our API: the key, the gate, the idempotency key, then the operation."""
    if request.path.startswith(OPEN):
        return respond(request)
    try:
        holder = _let_in(request)
        request.auth = holder  # type: ignore[attr-defined]
        _readable(request)
        with GATE.through(holder.account_id) as left:
            response = operation.once(request, lambda: respond(request))
        response.headers["RateLimit-Policy"] = f'"concurrent";q={GATE.most}'
        response.headers["RateLimit"] = f'"concurrent";r={left}'
        return response
    except operation.TakenBack as taken_back:
        return taken_back.response
    except Busy:
        detail = f"This account has {GATE.most} calls running. Wait for one to end."
        return problem(request, Problem(429, "Too many calls at a time", detail=detail, headers={"Retry-After": "1"}))
    except Problem as found:
        return problem(request, found)


def problem(request: HttpRequest, found: Problem) -> HttpResponse:
    body = to_json(found.body(instance=request.request_id))  # type: ignore[attr-defined]
    response = HttpResponse(body, status=found.status, content_type="application/problem+json")
    for name, value in found.headers.items():
        response.headers[name] = value
    return response


def _let_in(request: HttpRequest) -> Any:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    challenge = {"WWW-Authenticate": 'Bearer realm="standfast"'}
    match = _KEY.fullmatch(text.strip()) if scheme.lower() in ("bearer", "apikey") else None
    if match is None:
        detail = "Send the header `Authorization: Bearer sf_...` with a key made in the application."
        raise Problem(401, "The call has no API key", detail=detail, headers=challenge)
    try:
        return check_key(int(match.group(1)), text.strip(), address=request.address)  # type: ignore[attr-defined]
    except KeyRefused as refused:
        if refused.refusal is Refusal.ADDRESS:
            raise Problem(403, "The key is not let in from here", detail=refused.text) from None
        raise Problem(401, "The key is not let in", detail=refused.text, headers=challenge) from None


def _readable(request: HttpRequest) -> None:
    """Refuse bodies that are too deep or too many before anything parses them at length; JSON whatever they are called."""
    if request.body and request.content_type != "multipart/form-data":
        try:
            parse_body(request.body, "application/json", xml=False)
        except CallError as error:
            text = error.body.get("message", "") if isinstance(error.body, dict) else str(error.body)
            raise Problem(error.status, "The body cannot be read", detail=text) from None


@api.exception_handler(Problem)
def _problem(request: HttpRequest, found: Problem) -> HttpResponse:
    return problem(request, found)


def _where(location: Sequence[int | str]) -> str:
    """body.email, query.limit: django-ninja names the parameter `body` of our functions as well."""
    parts = location[1:] if tuple(location[:2]) == ("body", "body") else location
    return ".".join(map(str, parts))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [FieldFault(_where(row["loc"]), str(row["msg"])) for row in error.errors[:50]]
    return problem(request, Problem(422, "The request is not valid", faults=faults))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, _: AuthenticationError) -> HttpResponse:
    return problem(request, Problem(401, "The call has no API key"))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(request, Problem(error.status_code, str(error)))
