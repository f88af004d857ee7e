"""One operation of our own API: its scope, its transaction, its idempotency key; what a component's `endpoints.py` uses.

    router = Router(tags=["Contacts"])

    @operation(router, "POST", "/contacts", scope="contacts:write", response={201: ContactOut})
    def create_contact(request: Request, body: ContactIn) -> Status[Contact]: ...

The function runs in the account's scope, after the service let the key in (request.auth is the holder); a Problem raised in
it takes everything back.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from standfast.platform import tenancy
from standfast.platform.rest import response_models, sparse, uploads
from standfast.platform.rest.idempotency import HEADER, Claim, claim, complete
from standfast.platform.rest.problems import FieldFault, Problem, unprocessable

_KEPT_HEADERS = ("Content-Type", "ETag", "Location")  # that are part of an answer, said again under its key
_SCOPE = "scope"  # kept beside the headers of an answer: whoever asks for it again needs the right as well
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
response_models.share()


class Schema(BaseModel):
    """A body or an answer. Attributes of a model are read as they are: django-ninja's own looks each up in Python, which for a
    page of rows is most of the call."""

    model_config: ClassVar = ConfigDict(from_attributes=True)


class Fault(Schema):
    """An error (RFC 9457): what happened, and for each field what to send instead."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None
    errors: list[dict[str, Any]] | None = None
    possible: list[str] | None = None


ERRORS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 409, 413, 422, 429), Fault)
"""What any operation may answer."""


class Request(HttpRequest):
    """A call as an operation gets it. `auth` is who holds its key."""

    account_id: int
    auth: Any


class Given(Schema):
    """The body of a call. A name that is not known is refused: a slip of the pen must not look like a change that was made."""

    model_config: ClassVar = ConfigDict(extra="forbid", from_attributes=True)


def unless_said(**more: Any) -> Any:
    """The default in the body of a change: what is left out stays as it is (`model_dump(exclude_unset=True)`)."""
    return Field(default_factory=lambda: None, **more)


def operation(
    router: Router, method: str, path: str, *, scope: str, response: Any, upload_bytes_max: int = 0, **more: Any
) -> Callable[[Any], Any]:
    """Register a function under a method and path; `more` goes to django-ninja (summary, description ...).

    response: the shape of a 200, or shapes by status; what any operation may answer is added. scope: one of accounts' scopes. It is
    in the OpenAPI document as `x-scope`, so that a test can walk all of them. A GET takes sparse fields (`fields=a,b`) of what its
    response model has. upload_bytes_max: the body is a file, see `uploads`.
    """
    # Names in clients that are made from the document; a function may be renamed, an address not.
    more.setdefault("operation_id", "_".join([method.lower(), *re.findall(r"[a-z_]+", path.replace("-", "_"))]))
    extra = more.setdefault("openapi_extra", {})
    extra["x-scope"] = scope
    shape = sparse.shape_of(response) if method == "GET" else None
    if shape is not None:
        extra["parameters"] = [*extra.get("parameters", []), sparse.parameter(shape)]

    responses = {**(response if isinstance(response, Mapping) else {200: response}), **ERRORS}

    if upload_bytes_max:
        uploads.TAKING[path] = uploads.Taking(scope, upload_bytes_max)

    def register(function: Any) -> Any:
        @functools.wraps(function)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            holder = request.auth  # type: ignore[attr-defined]
            request.scope = scope  # type: ignore[attr-defined]
            require(holder, scope)
            request.account_id = holder.account_id  # type: ignore[attr-defined]
            if shape is not None:
                sparse.choose(request, shape)
            with _scope(request, holder.account_id):
                return function(request, *args, **kwargs)

        # django-ninja would look for the names of the annotations in this module.
        run.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]
        return router.api_operation([method], path, response=responses, **more)(run)

    return register


def _scope(request: HttpRequest, account_id: int) -> AbstractContextManager[None]:
    """The account's. A call that is in it since its key was let in has changed nothing: what it is refused for takes back all."""
    opened = getattr(request, "in_scope", False)
    return transaction.atomic(savepoint=False) if opened else tenancy.account_scope(account_id)


def require(holder: Any, scope: str) -> None:
    """Raises Problem where the key lacks the scope."""
    if not holder.may(scope):
        raise Problem(403, "The key lacks a scope", detail=f"This needs the scope {scope}.")


def once(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer to a writing call under its idempotency key, where it brings one; at most one effect. Used by the service."""
    key = request.headers.get(HEADER)
    holder = getattr(request, "auth", None)
    if key is None or holder is None or request.method not in _WRITING:
        return answer()
    asked = b"\n".join([str(request.method).encode(), request.get_full_path().encode(), uploads.fingerprint(request)])
    with tenancy.account_scope(holder.account_id):
        taken = claim(account_id=holder.account_id, key=key, request=asked)
        if not isinstance(taken, Claim):
            headers = dict(taken.headers)
            if scope := headers.pop(_SCOPE, None):
                require(holder, scope)
            again = HttpResponse(taken.body, status=taken.status, headers=headers)
            again.headers["Idempotent-Replayed"] = "true"
            return again
        response = answer()
        if response.status_code >= 500 or response.status_code in (401, 403, 429):  # another key, or later, it may work
            raise TakenBack(response)
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        kept |= {_SCOPE: request.scope} if hasattr(request, "scope") else {}
        complete(taken, status=response.status_code, headers=kept, body=response.content)
        return response


class TakenBack(Exception):
    """Nothing of the call stays, nor its key: it can be tried again."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def storable(text: str, field: str) -> str:
    """Text as the database takes it. Raises Problem for a NUL character."""
    if "\x00" in text:
        raise unprocessable(FieldFault(field, "holds a NUL character", "leave it out"))
    return text
