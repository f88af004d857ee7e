"""Sparse fields: `fields=id,email` on a reading call leaves the rest of each resource out.

One rule for all of them: of a page the rows under `data` are thinned out and its cursor stays; of a bare list each row; of
anything else the resource itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args, get_origin

from django.http import HttpRequest
from pydantic import BaseModel

from standfast.platform.rest.problems import FieldFault, unprocessable

PARAMETER = "fields"
_ATTRIBUTE = "fields_wanted"


class Shape(NamedTuple):
    """What an operation answers with: the names of a resource's fields, and whether resources come on a page."""

    names: tuple[str, ...]
    paged: bool


def shape_of(response: Any) -> Shape | None:
    """The shape of an operation's `response=`; None where it is no object of ours: a file, nothing at all."""
    model = response.get(200) if isinstance(response, Mapping) else response
    if get_origin(model) is list:
        model = get_args(model)[0]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    data = model.model_fields.get("data")
    if data is not None and get_origin(data.annotation) is list:
        return Shape(tuple(get_args(data.annotation)[0].model_fields), paged=True)
    return Shape(tuple(model.model_fields), paged=False)


def parameter(shape: Shape) -> dict[str, Any]:
    """The query parameter for the OpenAPI document."""
    one = {"type": "string", "enum": list(shape.names)}
    return {
        "name": PARAMETER, "in": "query", "required": False, "style": "form", "explode": False,
        "description": "Only these fields of each resource, with commas between them.",
        "schema": {"type": "array", "items": one, "minItems": 1, "uniqueItems": True},
    }  # fmt: skip


def choose(request: HttpRequest, shape: Shape) -> None:
    """Note which fields the call wants. Raises Problem naming those that there are."""
    text = request.GET.get(PARAMETER)
    if text is None:
        return
    names = {name.strip() for name in text.split(",")}
    unknown = sorted(names - set(shape.names))
    if unknown:
        there_are = f"send some of {', '.join(shape.names)}, with commas between them"
        raise unprocessable(FieldFault(f"query.{PARAMETER}", f"there is no field {unknown[0][:80]!r}", there_are))
    setattr(request, _ATTRIBUTE, (frozenset(names), shape.paged))


def wanted(request: HttpRequest) -> frozenset[str] | None:
    """The fields that the call wants; None where it wants all."""
    found: frozenset[str] | None = getattr(request, _ATTRIBUTE, (None, False))[0]
    return found


def thinned(request: HttpRequest, answer: Any) -> Any:
    """The answer with no other fields than the call wants."""
    names, paged = getattr(request, _ATTRIBUTE, (None, False))
    if names is None:
        return answer
    if paged:
        return {**answer, "data": [only(row, names) for row in answer["data"]]}
    return [only(row, names) for row in answer] if isinstance(answer, list) else only(answer, names)


def only(row: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in names}
