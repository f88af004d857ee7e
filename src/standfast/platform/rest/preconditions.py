"""Two writers at once: an answer names the version it shows in its ETag, a change may say which version it was made from.

GET  -> ETag: "8f3a"
PATCH, If-Match: "8f3a" -> 200, or 412 where somebody changed it meanwhile (RFC 9110 section 13.1.1)
"""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from ninja import Header

from standfast.platform.rest.operation import Fault
from standfast.platform.rest.problems import FieldFault, Problem

HEADER = "If-Match"
HEADER_MAX = 2000
GUARDED: dict[int, Any] = {412: Fault}
"""For `response={200: ..., **GUARDED}`: what an operation that takes If-Match may answer besides."""

IF_MATCH: Any = Header(
    None, alias=HEADER, max_length=HEADER_MAX, description="The ETag of what you read: 412 if it is another by now."
)
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def tag_of(version: str) -> str:
    """The ETag of a version; strong, as the version changes with everything that the answer shows."""
    return f'"{version}"'


def show_version(response: HttpResponse, version: str) -> None:
    response.headers["ETag"] = tag_of(version)


def require_match(if_match: str | None, version: str) -> None:
    """Raise Problem (412) where the caller changes another version than the stored one; without the header nothing is asked.

    A tag that was made weak on its way, as proxies do that compress, still names the version and is taken.
    """
    if if_match is None or if_match.strip() == "*":
        return
    named = _TAG.findall(if_match)
    if version in named:
        return
    fault = FieldFault(
        f"header.{HEADER}",
        "is not the version that is stored" if named else "holds no ETag",
        "read it again, make your change to what is there now, and send that answer's ETag",
    )
    raise Problem(
        412, "It was changed meanwhile", detail="Nothing was saved.", faults=[fault], headers={"ETag": tag_of(version)}
    )
