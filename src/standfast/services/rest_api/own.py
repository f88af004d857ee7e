"""Our own API under /api/v1: OpenAPI 3.1, problem details, idempotency keys, limits told in headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import ABS_TPL_PATH
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.security import HttpBearer

from standfast.components.accounts.api import KeyHolder, KeyRefused, Refusal, check_key, scope_of_key
from standfast.platform.rest import operation, sparse, uploads
from standfast.platform.rest.answers import to_json
from standfast.platform.rest.call import CallError, parse_body
from standfast.platform.rest.limits import Busy, Gate
from standfast.platform.rest.problems import Problem
from standfast.platform.rest.validation import faults_of

PREFIX = "/api/v1/"
EXPLORER = f"{PREFIX}docs"
OPEN = (EXPLORER, f"{PREFIX}openapi.json")
_KEY = re.compile(r"sf_([0-9]{1,18})_[A-Za-z0-9_-]{20,100}")
GATE = Gate()
BODY_BYTES_MAX = 20 * 1024 * 1024
VALUES_MAX = 500_000  # ten thousand events with their properties

Respond = Callable[[HttpRequest], HttpResponse]


class Key(HttpBearer):
    """`Authorization: Bearer sf_...`. The door has checked it already; this tells the OpenAPI document of it."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return getattr(request, "auth", None)


class Body(Parser):
    """What `_readable` has parsed, so that nothing is parsed twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        return request.json if hasattr(request, "json") else super().parse_body(request)


class Answer(JSONRenderer):
    """JSON with no other fields than the call wants, and without blanks."""

    json_dumps_params = MappingProxyType({"ensure_ascii": False, "separators": (",", ":")})

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        return super().render(request, sparse.thinned(request, data), response_status=response_status)


class _Explorer(Swagger):
    """With its files from here: the page of an installed app, which django-ninja is not."""

    template_cdn = str(ABS_TPL_PATH / "swagger.html")


api = NinjaAPI(
    title="Standfast",
    version="1",
    description="Everything the application can do, for programs. Errors are problem details (RFC 9457); writing calls take an "
    "`Idempotency-Key`, kept seven days; lists are paged by cursor; `fields` leaves out of an answer what you do not need; what "
    "takes long is answered with 202 and where to look; an account has ten calls at a time.",
    auth=Key(),
    parser=Body(),
    renderer=Answer(),
    urls_namespace="v1",
    openapi_url="openapi.json",
    docs_url="docs",
    docs=_Explorer(settings={"persistAuthorization": False, "displayRequestDuration": True}),
)


def _no_operation(request: HttpRequest, _: HttpResponse) -> Problem:
    return Problem(404, "There is no such address", detail=f"The documentation is at {EXPLORER}.")


def _no_method(request: HttpRequest, response: HttpResponse) -> Problem:
    allowed = response.headers.get("Allow", "")
    return Problem(405, "The address has no such method", detail=f"It has {allowed}.", headers={"Allow": allowed})


_PLAIN = {404: _no_operation, 405: _no_method}
"""What Django and django-ninja answer by themselves, and what we make of it."""


def guarded(request: HttpRequest, respond: Respond) -> HttpResponse:
    """A call of our API: the key, the gate, the idempotency key, then the operation."""
    if request.path.startswith(OPEN):
        return respond(request)
    try:
        with _let_in(request) as holder, GATE.through(holder.account_id) as left:
            request.auth = holder  # type: ignore[attr-defined]
            response = _carried_out(request, respond, holder)
        if response.status_code in _PLAIN and not response.headers.get("Content-Type", "").startswith(
            "application/problem"
        ):
            response = problem(request, _PLAIN[response.status_code](request, response))
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


def _carried_out(request: HttpRequest, respond: Respond, holder: Any) -> HttpResponse:
    taking = uploads.TAKING.get(request.path.removeprefix(PREFIX.rstrip("/"))) if request.method == "POST" else None
    if taking is None:
        _readable(request)
        return operation.once(request, lambda: respond(request))
    operation.require(holder, taking.scope)
    upload = uploads.take(request, account_id=holder.account_id, bytes_max=taking.bytes_max)
    request.upload = upload  # type: ignore[attr-defined]
    try:
        return operation.once(request, lambda: respond(request))
    except BaseException:  # taken back: what would have used the file is not there
        upload.kept = False
        raise
    finally:
        upload.forget()


def problem(request: HttpRequest, found: Problem) -> HttpResponse:
    body = to_json(found.body(instance=request.request_id))  # type: ignore[attr-defined]
    response = HttpResponse(body, status=found.status, content_type="application/problem+json")
    for name, value in found.headers.items():
        response.headers[name] = value
    return response


@contextmanager
def _let_in(request: HttpRequest) -> Iterator[KeyHolder]:
    """Who calls. A reading call's transaction begins with the look at its key; that of one with a body, once it has come: no slow
    client holds one open."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    challenge = {"WWW-Authenticate": 'Bearer realm="standfast"'}
    match = _KEY.fullmatch(text.strip()) if scheme.lower() in ("bearer", "apikey") else None
    if match is None:
        detail = "Send the header `Authorization: Bearer sf_...` with a key made in the application."
        raise Problem(401, "The call has no API key", detail=detail, headers=challenge)
    account_id, key, address = int(match.group(1)), text.strip(), request.address  # type: ignore[attr-defined]
    try:
        if request.method == "GET" and request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            with scope_of_key(account_id, key, address=address) as holder:
                request.in_scope = True  # type: ignore[attr-defined]
                yield holder
        else:
            yield check_key(account_id, key, address=address)
    except KeyRefused as refused:
        if refused.refusal is Refusal.ADDRESS:
            raise Problem(403, "The key is not let in from here", detail=refused.text) from None
        raise Problem(401, "The key is not let in", detail=refused.text, headers=challenge) from None


def _readable(request: HttpRequest) -> None:
    """Parse the body as JSON, whatever it is called, and once; refuse what is too large, too deep or too many before anything
    looks at it at length."""
    if request.content_type == "multipart/form-data":
        return
    try:
        body = request.body
    except RequestDataTooBig:
        raise Problem(413, "The body is too large", detail=f"Send at most {BODY_BYTES_MAX:,} bytes.") from None
    if not body:
        return
    try:
        found, items = parse_body(body, "application/json", xml=False, bytes_max=BODY_BYTES_MAX, values_max=VALUES_MAX)
    except CallError as error:
        text = error.body.get("message", "") if isinstance(error.body, dict) else str(error.body)
        raise Problem(error.status, "The body cannot be read", detail=text) from None
    request.json = found if items is None else items  # type: ignore[attr-defined]


@api.exception_handler(Problem)
def _problem(request: HttpRequest, found: Problem) -> HttpResponse:
    return problem(request, found)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem(request, Problem(422, "The request is not valid", faults=faults_of(error.errors, _place)))


def _place(found: Sequence[Any]) -> str:
    """body.email, query.limit: without the name that the operation's function has for its body."""
    return ".".join(map(str, (found[0], *found[2:]) if found[0] == "body" else found))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, _: AuthenticationError) -> HttpResponse:
    return problem(request, Problem(401, "The call has no API key"))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(request, Problem(error.status_code, str(error)))
