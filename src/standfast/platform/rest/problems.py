"""Errors of our own API: RFC 9457 problem details that name the field and say what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class FieldFault(NamedTuple):
    """field: where in the request, e.g. "body.email" or "query.limit". remedy: what to send instead."""

    field: str
    message: str
    remedy: str


class Problem(Exception):
    """Raised anywhere in an endpoint; answered as application/problem+json, and nothing of the transaction stays.

    possible: what the caller could do instead (a member of our own, RFC 9457 section 3.2)."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        detail: str = "",
        kind: str = "about:blank",
        faults: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
        possible: Sequence[str] | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status, self.title, self.detail, self.kind = status, title, detail, kind
        self.faults = list(faults)
        self.headers = dict(headers or {})
        self.possible = possible

    def body(self, *, instance: str) -> dict[str, Any]:
        """The JSON object. instance: the request's id."""
        body: dict[str, Any] = {"type": self.kind, "title": self.title, "status": self.status, "instance": instance}
        if self.detail:
            body["detail"] = self.detail
        if self.faults:
            body["errors"] = [fault._asdict() for fault in self.faults]
        if self.possible is not None:
            body["possible"] = list(self.possible)
        return body


def not_found(what: str) -> Problem:
    return Problem(404, "Not found", detail=f"There is no such {what} in this account.")


def conflict(detail: str, *, possible: Sequence[str] | None = None) -> Problem:
    """possible: what can be done instead, by the names of operations."""
    return Problem(409, "Conflict", detail=detail, possible=possible)


def taken(field: str, message: str = "is taken") -> Problem:
    """409 for a value that one alone may have."""
    return Problem(
        409, "Conflict", faults=[FieldFault(field, message, "send one that is free, or change the other first")]
    )


def unprocessable(*faults: FieldFault, detail: str = "") -> Problem:
    return Problem(422, "The request cannot be carried out", detail=detail, faults=faults)
