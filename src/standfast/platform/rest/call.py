"""One call in the reference product's manner, with everything its clients do tolerated.

The token may stand in the query, the body or a header; parameters in the query or the body, whatever the method; brackets
raw or encoded; a contact flat or wrapped; a body empty, `null` or `{}`, JSON or XML with hyphens, with or without a type.
Limits hold for all of it: size, depth, number of values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

BODY_BYTES_MAX = 5 * 1024 * 1024
DEPTH_MAX = 32
VALUES_MAX = 50_000
PER_MAX = 5000
PER_DEFAULT = 200
PAGE_MAX = 1_000_000
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


class CallError(Exception):
    """The call is refused: `status`, and a body in the shape that clients read."""

    def __init__(self, status: int, body: Any, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def invalid(**fields: str) -> CallError:
    """422 as validation says it: {"<field>": ["..."]}; invalid(base="...") for what belongs to no field."""
    return CallError(422, {name: [text] for name, text in fields.items()})


def missing(text: str) -> CallError:
    """404 as the product says it: {"message": "..."}."""
    return CallError(404, {"message": text})


@dataclass(frozen=True, slots=True)
class Call:
    """query and body hold the parameters apart; `params` is both, the body's over the query's. path: what the route named."""

    method: str
    account_id: int
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    address: str
    holder: Any = None
    items: list[Any] | None = None  # a body that is a JSON array
    params: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", {**self.query, **self.body})

    def text(self, name: str, default: str = "", *, most: int = 255) -> str:
        """A parameter as text, "" where it is missing or null. `a[b]` and `a.b` name nested ones. Raises CallError."""
        value = self.value(name)
        if value is None or value in ({}, []):
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise invalid(**{_last(name): "must be text"})
        text = str(value)
        if len(text) > most:
            raise invalid(**{_last(name): f"is too long (maximum is {most} characters)"})
        if "\x00" in text:
            raise invalid(**{_last(name): "holds a character that cannot be stored"})
        return text

    def number(
        self, name: str, default: int | None = None, *, least: int | None = None, most: int = 2**53
    ) -> int | None:
        """A whole number, also given as a string. Raises CallError."""
        value = self.value(name)
        if value is None or value == "" or isinstance(value, bool):
            return default
        try:
            number = int(str(value).strip())
        except ValueError:
            raise invalid(**{_last(name): "is not a number"}) from None
        if abs(number) > most or (least is not None and number < least):
            raise invalid(**{_last(name): "is out of range"})
        return number

    def flag(self, name: str, default: bool = False) -> bool:
        """true, "true", 1, "1", "yes", "on" and their opposites; null or anything else is the default."""
        value = str(self.value(name)).strip().lower()
        if value in ("true", "1", "yes", "on", "t"):
            return True
        return False if value in ("false", "0", "no", "off", "f") else default

    def ids(self, name: str) -> list[int]:
        """Ids given as a list, as one number, or as a string of numbers with commas. Raises CallError."""
        value = self.value(name)
        if value is None or value in ("", {}):
            return []
        parts = (
            value
            if isinstance(value, list)
            else list(value.values())
            if isinstance(value, dict)
            else str(value).split(",")
        )
        try:
            found = [int(str(part).strip()) for part in parts if str(part).strip()]
        except ValueError:
            raise invalid(**{_last(name): "must be ids"}) from None
        if len(found) > VALUES_MAX or any(abs(one) > 2**53 for one in found):
            raise invalid(**{_last(name): "is out of range"})
        return list(dict.fromkeys(found))

    def texts(self, name: str) -> list[str]:
        """A list of texts; one text is a list of one, with commas of several. Raises CallError."""
        value = self.value(name)
        if value is None or value in ("", {}):
            return []
        parts = (
            value
            if isinstance(value, list)
            else list(value.values())
            if isinstance(value, dict)
            else str(value).split(",")
        )
        return [str(part).strip()[:255] for part in parts if isinstance(part, str | int | float) and str(part).strip()]

    def table(self, name: str) -> dict[str, Any]:
        """A nested object; {} for null, [], "" and what is missing."""
        value = self.value(name)
        return dict(value) if isinstance(value, dict) else {}

    def value(self, name: str) -> Any:
        """A parameter by its name, or by a path such as contact[email]; also where a body has the path as a literal key."""
        if name in self.params:
            return self.params[name]
        parts = name.replace("]", "").split("[")
        value: Any = self.params
        for part in parts:
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value

    def wrapped(self, name: str) -> Call:
        """The same call with the parameters of `name` on the top level: a contact may come wrapped or flat."""
        inner = self.table(name)
        if not inner:
            return self
        outer = {key: value for key, value in self.params.items() if key != name}
        return Call(self.method, self.account_id, self.path, outer, inner, self.address, self.holder, self.items)

    def page(self) -> tuple[int, int]:
        """(page from 1, rows a page): `page`, and `per` from 1 to 5000 with 200 as the default. Raises CallError."""
        page = self.number("page", 1, least=1, most=PAGE_MAX)
        per = self.number("per", self.number("per_page", PER_DEFAULT), least=1)
        return page or 1, min(per or PER_DEFAULT, PER_MAX)


def parse_query(text: str) -> dict[str, Any]:
    """A query string, brackets nested: contact[email]=x, list_ids[]=1, a[b][c]=2. Raises CallError."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=2000, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise CallError(400, {"message": f"The query cannot be read: {error}"}) from error
    return nested(pairs)


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Pairs with bracketed names as nested objects and lists."""
    found: dict[str, Any] = {}
    for name, text in pairs:
        # a plus sign that a client left raw in an address has become a space, which no address holds
        raw = name.rstrip("]").endswith("email") and "@" in text
        value = text.strip().replace(" ", "+") if raw else text
        head, _, _ = name.partition("[")
        keys = _BRACKETS.findall(name[len(head) :]) if name.endswith("]") else []
        if not keys:
            found[name] = value
            continue
        if len(keys) > DEPTH_MAX:
            raise CallError(400, {"message": "The parameters are nested too deeply."})
        place: Any = found
        path = [head, *keys]
        for key, then in zip(path, [*path[1:], None], strict=True):
            if then is None:
                _put(place, key, value)
                break
            missing_one: Any = [] if then == "" else {}
            if isinstance(place, list):
                place.append(missing_one)
                place = missing_one
                continue
            inner = place.get(key)
            if not isinstance(inner, dict | list) or isinstance(inner, list) != isinstance(missing_one, list):
                inner = place[key] = missing_one
            place = inner
    return found


def _put(place: Any, key: str, value: str) -> None:
    if isinstance(place, list):
        place.append(value)
    else:
        place[key] = value


def parse_body(
    body: bytes, content_type: str, *, xml: bool, bytes_max: int = BODY_BYTES_MAX, values_max: int = VALUES_MAX
) -> tuple[dict[str, Any], list[Any] | None]:
    """(parameters, items): of a JSON object, a JSON array, a form or XML. Nothing at all is an empty object. Raises CallError."""
    if len(body) > bytes_max:
        raise CallError(413, {"message": f"The body is larger than {bytes_max:,} bytes."})
    text = body.strip()
    if not text or text in (b"null", b"{}", b"[]"):
        return {}, [] if text == b"[]" else None
    kind = content_type.partition(";")[0].strip().lower()
    if text[:1] == b"<" and (xml or kind.endswith("xml") or not kind):
        return _from_xml(text), None
    if kind == "application/x-www-form-urlencoded" and text[:1] not in (b"{", b"["):
        return parse_query(_decoded(text)), None
    try:
        value = json.loads(_decoded(text), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CallError(400, {"message": f"The body is not JSON: {str(error)[:200]}"}) from error
    _measure(value, values_max)
    if b"\\u" in text and not _is_text(value):
        raise CallError(400, {"message": "The body holds half of a surrogate pair, which is no character."})
    if isinstance(value, list):
        return {}, value
    if not isinstance(value, dict):
        raise CallError(400, {"message": "The body must be a JSON object."})
    return value, None


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CallError(400, {"message": f"The body is not UTF-8 at byte {error.start}."}) from error


def _is_text(value: Any) -> bool:
    """Whether all of a JSON value can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _measure(value: Any, values_max: int) -> None:
    """Refuse what is nested too deeply or holds too many values, without recursion."""
    count, waiting = 0, [(value, 1)]
    while waiting:
        inner, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise CallError(400, {"message": f"The body is nested more than {DEPTH_MAX} levels deep."})
        if isinstance(inner, dict | list):
            count += len(inner)
            if count > values_max:
                raise CallError(413, {"message": f"The body holds more than {values_max:,} values."})
            waiting += [(each, depth + 1) for each in (inner.values() if isinstance(inner, dict) else inner)]


def _from_xml(text: bytes) -> dict[str, Any]:
    """Rails' XML: hyphens for underscores, type="array" for lists. No entities, no document type."""
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise CallError(400, {"message": f"The body is not XML that is taken here: {str(error)[:200]}"}) from error
    value = _element(root, 1)
    return (
        {root.tag.replace("-", "_"): value} if isinstance(value, dict) and root.tag not in ("hash", "record") else value
    )


def _element(element: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise CallError(400, {"message": f"The body is nested more than {DEPTH_MAX} levels deep."})
    children = list(element)
    if element.get("nil") == "true":
        return None
    if element.get("type") == "array":
        return [_element(child, depth + 1) for child in children]
    if not children:
        return (element.text or "").strip()
    return {child.tag.replace("-", "_"): _element(child, depth + 1) for child in children}


def _last(name: str) -> str:
    return name.rstrip("]").rpartition("[")[2]
