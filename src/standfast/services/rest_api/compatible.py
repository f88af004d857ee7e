"""The door of the reference product's interface: find the endpoint, let the key in, call it in the account's scope, answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from standfast.components.accounts.api import KeyHolder, KeyRefused, Refusal, scope_of_key
from standfast.platform.rest.answers import Answer, to_json, to_xml
from standfast.platform.rest.call import Call, CallError, parse_body, parse_query
from standfast.platform.rest.limits import Busy, Gate
from standfast.platform.rest.routes import Route, find
from standfast.services.rest_api import mounted  # noqa: F401 - importing it fills the table of routes

GATE = Gate()
ACCOUNT_MAX = 2**62
_SUFFIX = re.compile(r"\.(json|xml|csv)$")


def compatible(request: HttpRequest, host: str, account_id: int, path: str) -> HttpResponseBase:
    """Any call of the interface. host: api, rdb or stream."""
    suffix = _SUFFIX.search(path)
    form = suffix.group(1) if suffix else _accepted(request)
    path = (path[: suffix.start()] if suffix else path).rstrip("/")  # rows are read at <table>.json or <table>/.json
    try:
        answer = _carried_out(request, host, account_id, path, form)
    except CallError as error:
        answer = Answer(error.body, status=error.status, headers=error.headers, root="errors")
    return _rendered(answer, form)


def _carried_out(request: HttpRequest, host: str, account_id: int, path: str, form: str) -> Answer:
    if account_id > ACCOUNT_MAX:
        raise CallError(401, {"error": "There is no such account."})
    query = parse_query(request.META.get("QUERY_STRING", ""))
    body, items = parse_body(request.body, request.headers.get("Content-Type", ""), xml=form == "xml")
    try:
        with _let_in(request, account_id, query, body) as holder, GATE.through(account_id):
            method = "GET" if request.method == "HEAD" else str(request.method)
            route, named = _found(method, host, path)
            if request.method == "HEAD" and route.scope.endswith(":write"):  # some GETs act: HEAD never does
                raise CallError(405, {"error": "Use GET here."}, headers={"Allow": "GET"})
            if not holder.may(route.scope):
                raise CallError(403, {"error": f"This API key lacks the right “{route.scope}”."})
            address: str = request.address  # type: ignore[attr-defined]
            named = {**named, "format": form}  # who streams writes the answer
            return route.handler(Call(method, account_id, named, query, body, address, holder, items))
    except Busy:
        text = f"This account has {GATE.most} calls running already. Wait for one to end."
        raise CallError(429, {"error": text}, headers={"Retry-After": "1"}) from None


def _found(method: str, host: str, path: str) -> tuple[Route, dict[str, str]]:
    found = find(method, host, path)
    if isinstance(found, tuple):
        return found
    if not found:
        raise CallError(404, {"error": "There is no such resource."})
    if host == "stream":
        raise CallError(403, {"error": "The streaming host takes GET only."})
    allowed = ", ".join(sorted(found))
    raise CallError(405, {"error": f"Use {allowed} here."}, headers={"Allow": allowed})


@contextmanager
def _let_in(request: HttpRequest, account_id: int, query: dict[str, Any], body: dict[str, Any]) -> Iterator[KeyHolder]:
    """The call's transaction in the account's scope, for the key from a header, the query or the body; taken out of both, for no
    endpoint has business with it."""
    given = [query.pop("auth_token", None), body.pop("auth_token", None)]
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    given.insert(0, text.strip() if scheme.lower() in ("apikey", "bearer") else None)
    token = next((one for one in given if isinstance(one, str) and one), "")
    try:
        with scope_of_key(account_id, token, address=request.address) as holder:  # type: ignore[attr-defined]
            yield holder
    except KeyRefused as refused:
        status = 403 if refused.refusal is Refusal.ADDRESS else 401
        raise CallError(status, {"error": refused.text if token else "The call has no API key."}) from None


def _accepted(request: HttpRequest) -> str:
    """The form of the answer where the path has no suffix."""
    for name in ("Accept", "Content-Type"):
        value = request.headers.get(name, "").lower()
        if "json" in value:
            return "json"
        if "xml" in value and "html" not in value:
            return "xml"
    return "json"


def _rendered(answer: Answer, form: str) -> HttpResponseBase:
    if isinstance(answer.body, HttpResponseBase):  # an endpoint that streams makes its own
        return answer.body
    if answer.body is None:
        response = HttpResponse(status=204 if answer.status == 200 else answer.status)
    elif form == "xml":
        response = HttpResponse(
            to_xml(answer.body, answer.root), status=answer.status, content_type="application/xml; charset=utf-8"
        )
    else:
        response = HttpResponse(
            to_json(answer.body), status=answer.status, content_type="application/json; charset=utf-8"
        )
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["Status"] = f"{response.status_code} {response.reason_phrase}"
    return response
