"""Whether a type of the client is the shape that the API's document gives."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

ADDED = {"etag"}  # the client puts it beside what the API says
SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean"}


def resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def faults(shape: Any, schema: Mapping[str, Any], document: Mapping[str, Any], where: str) -> Iterator[str]:
    """What of an answer's schema the type does not say, or says otherwise."""
    schema = resolved(schema, document)
    if get_origin(shape) in (Required, NotRequired):
        [shape] = get_args(shape)
    options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if get_origin(shape) in (Union, types.UnionType):
        parts = [one for one in get_args(shape) if one is not type(None)]
        if len(options) == len(schema.get("anyOf", [])) or len(parts) != 1:
            yield f"{where}: {shape} is not what may be null"
            return
        [shape] = parts
    elif "anyOf" in schema and len(options) < len(schema["anyOf"]):
        yield f"{where}: may be null"
        return
    schema = resolved(options[0], document)
    yield from _faults_of_one(shape, schema, document, where)


def _faults_of_one(shape: Any, schema: Mapping[str, Any], document: Mapping[str, Any], where: str) -> Iterator[str]:
    origin = get_origin(shape)
    if is_typeddict(shape) or is_typeddict(origin):
        yield from _faults_of_object(shape, schema, document, where)
    elif origin is list:
        if schema.get("type") != "array":
            yield f"{where}: is no list"
        else:
            yield from faults(get_args(shape)[0], schema["items"], document, f"{where}[]")
    elif origin is dict:
        if schema.get("type") != "object" or "properties" in schema:
            yield f"{where}: is no dictionary"
    elif shape in SIMPLE:
        if schema.get("type") != SIMPLE[shape] and not (shape is float and schema.get("type") == "integer"):
            yield f"{where}: is {schema.get('type')}, not {shape.__name__}"
    elif shape is not Any and origin is not Literal:
        yield f"{where}: what is {shape}?"


def _faults_of_object(shape: Any, schema: Mapping[str, Any], document: Mapping[str, Any], where: str) -> Iterator[str]:
    hints = get_type_hints(get_origin(shape) or shape, include_extras=True)
    properties = schema.get("properties", {})
    for name in sorted((hints.keys() - ADDED) ^ properties.keys()):
        yield f"{where}.{name}: {'the document has it, the client not' if name in properties else 'is not in the document'}"
    arguments = get_args(shape)
    for name in hints.keys() & properties.keys():
        hint = hints[name]
        if arguments and name == "data":
            hint = list[arguments[0]]  # of Page[T]
        yield from faults(hint, properties[name], document, f"{where}.{name}")


def inner(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an answer holds that has nothing but one list or number, which the client gives alone."""
    schema = resolved(schema, document)
    properties = schema.get("properties", {})
    return resolved(next(iter(properties.values())), document) if len(properties) == 1 else schema
