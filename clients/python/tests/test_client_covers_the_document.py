"""The client beside the API's OpenAPI document: a method for each operation, its parameters, its shapes, its address."""

from __future__ import annotations

import inspect
import io
import re
import typing
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import httpx
import pytest
from document import faults, inner, resolved

from standfast.services.rest_api import mounted
from standfast.services.rest_api.own import api
from standfast_client import Client
from standfast_client.calls import Group
from standfast_client.operations import OPERATIONS
from standfast_client.paging import Page, Pages

assert mounted
DOCUMENT: Mapping[str, Any] = api.get_openapi_schema(path_prefix="/api/v1")
DOCUMENTED = {
    (method.upper(), path.removeprefix("/api/v1")): one
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
}
OTHERWISE = {"cursor", "body"}  # the pages' own
AS_FILE = {("POST", "/content-images"), ("POST", "/imports")}  # given as a path or a file


def names_of(method: Any) -> set[str]:
    """What a method takes, also by **more."""
    names = set()
    for name, one in inspect.signature(method).parameters.items():
        if one.kind is one.VAR_KEYWORD:
            [more] = get_args(get_type_hints(method)[name])
            names |= get_type_hints(more).keys()
        else:
            names.add(name)
    return names - {"self"}


def body_of(one: Mapping[str, Any]) -> Mapping[str, Any]:
    content = one.get("requestBody", {}).get("content", {})
    return resolved(content.get("application/json", {}).get("schema", {}), DOCUMENT)


def test_every_operation_has_its_method():
    assert len(DOCUMENTED) > 70
    assert sorted(DOCUMENTED.keys() - OPERATIONS.keys()) == []


def test_no_method_makes_an_operation_that_there_is_not():
    assert sorted(OPERATIONS.keys() - DOCUMENTED.keys()) == []


@pytest.mark.parametrize("which", sorted(OPERATIONS.keys() & DOCUMENTED.keys()), ids=" ".join)
def test_a_method_takes_what_its_operation_takes(which):
    one, names = DOCUMENTED[which], names_of(OPERATIONS[which])
    for parameter in one.get("parameters", []):
        name = parameter["name"].lower().replace("-", "_")
        assert name in names | OTHERWISE, f"{parameter['in']} parameter {name}"
    if which not in AS_FILE:
        assert sorted(body_of(one).get("properties", {}).keys() - names) == [], "of the body"
    if which[0] != "GET":
        assert "idempotency_key" in names


@pytest.mark.parametrize("which", sorted(OPERATIONS.keys() & DOCUMENTED.keys()), ids=" ".join)
def test_rows_that_a_method_takes_have_the_names_of_the_document(which):
    hints = get_type_hints(OPERATIONS[which])
    for name, schema in body_of(DOCUMENTED[which]).get("properties", {}).items():
        items = resolved(resolved(schema, DOCUMENT).get("items", {}), DOCUMENT)
        rows = [one for one in get_args(hints.get(name)) if is_typeddict(one)]
        if "properties" in items:
            assert rows, f"{name} are objects"
            assert get_type_hints(rows[0]).keys() == items["properties"].keys()
            assert rows[0].__required_keys__ >= set(items.get("required", []))


@pytest.mark.parametrize("which", sorted(OPERATIONS.keys() & DOCUMENTED.keys()), ids=" ".join)
def test_what_a_method_gives_has_the_shape_of_the_document(which):
    method = OPERATIONS[which]
    given = get_type_hints(method)["return"]
    answers = [answer for code, answer in DOCUMENTED[which]["responses"].items() if str(code).startswith("2")]
    contents = [content for answer in answers for content in answer.get("content", {}).values()]
    schema = next((content["schema"] for content in contents if content.get("schema")), None)
    if schema is None or "to" in names_of(method):
        assert given in (type(None), int), "an answer without a shape"
        return
    if get_origin(given) is Pages:
        given = Page[get_args(given)]
    elif given in (int, str) or (get_origin(given) is list and resolved(schema, DOCUMENT).get("type") != "array"):
        schema = inner(schema, DOCUMENT)
    assert list(faults(given, schema, DOCUMENT, " ".join(which))) == []


class Recorded(httpx.BaseTransport):
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        counts = dict.fromkeys(
            ("changed", "sent", "sent_again", "position", "deliveries", "deleted", "added", "refused"), 1
        )
        return httpx.Response(200, json={"data": [], "results": [], "next": None, "secret": "", **counts})


def made_up(name: str) -> Any:
    files: dict[str, Any] = {"to": io.BytesIO(), "file": b"a,b\n", "image": b"png", "report": "open"}
    number = name.endswith("_id") or name in ("number", "position", "first", "last")
    return files.get(name, 7 if number else "x")


def groups(client: Client) -> dict[type, Group]:
    return {type(one): one for one in vars(client).values() if isinstance(one, Group)}


@pytest.mark.parametrize("which", sorted(OPERATIONS), ids=" ".join)
def test_a_method_calls_the_address_of_its_operation(which):
    function, transport = OPERATIONS[which], Recorded()
    with Client("http://test", "sf_1_x") as client:
        client._calls._http = httpx.Client(transport=transport)
        [group] = [one for kind, one in groups(client).items() if vars(kind).get(function.__name__) is function]
        required = [
            one for one in inspect.signature(function).parameters.values()
            if one.default is one.empty and one.name != "self" and one.kind is not one.VAR_KEYWORD
        ]  # fmt: skip
        first = [made_up(one.name) for one in required if one.kind is one.POSITIONAL_OR_KEYWORD]
        named = {one.name: made_up(one.name) for one in required if one.kind is one.KEYWORD_ONLY}
        found = getattr(group, function.__name__)(*first, **named)
        list(found) if isinstance(found, Pages) else found
    [request] = transport.requests
    wanted = re.sub(r"\{(\w+)\}", lambda part: str(made_up(part[1])), which[1])
    assert (request.method, request.url.path) == (which[0], f"/api/v1{wanted}")
    assert ("idempotency-key" in request.headers) == (which[0] != "GET")
    assert typing.get_type_hints(function)
