"""The table of compatible endpoints: a component's `compatible.py` fills it, the REST service looks calls up in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call

Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """host: "api", "rdb" or "stream". pattern: under the account, e.g. lists/<list_id>/contacts; <name> is one segment,
    <name:int> a number. section: of marketing-cloud.md, for the list of what is compatible."""

    method: str
    host: str
    pattern: str
    scope: str
    handler: Handler
    section: str
    regex: re.Pattern[str]


ROUTES: list[Route] = []


def route(method: str, pattern: str, *, scope: str, section: str, host: str = "api") -> Callable[[Handler], Handler]:
    """Register a handler. It is called in the account's scope (a transaction), with the key checked for `scope`."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, host, pattern, scope, handler, section, _compiled(pattern)))
        return handler

    return register


def find(method: str, host: str, path: str) -> tuple[Route, dict[str, str]] | set[str]:
    """The route and what its path names; or the methods that the path does have, empty where there is no such path."""
    methods = set()
    for each in ROUTES:
        match = each.regex.fullmatch(path) if each.host == host else None
        if match is not None:
            if each.method == method:
                return each, match.groupdict()
            methods.add(each.method)
    return methods


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"(<[^>]+>)", pattern):
        if piece.startswith("<"):
            name, _, kind = piece[1:-1].partition(":")
            parts.append(rf"(?P<{name}>[0-9]{{1,18}})" if kind == "int" else rf"(?P<{name}>[^/]+)")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts))
