"""What can go wrong, one exception each. Their text says what happened, where, and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class FieldFault(NamedTuple):
    """field: where in the request, such as body.email or query.limit; remedy: what to send instead, or empty."""

    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        said = f"{self.field}: {self.message}"
        return f"{said}; {self.remedy}" if self.remedy else said


class StandfastError(Exception):
    """Everything that the client raises of itself, except ValueError and TypeError for arguments that cannot be sent."""


class Unreachable(StandfastError):
    """No answer came, also after the repetitions. A writing call may have been carried out: made again with
    `idempotency_key`, it is carried out once."""

    def __init__(self, reason: str, *, request_id: str, idempotency_key: str | None) -> None:
        again = f"; to make it again once, send idempotency_key={idempotency_key!r}" if idempotency_key else ""
        super().__init__(f"No answer came: {reason}{again} (request {request_id})")
        self.request_id, self.idempotency_key = request_id, idempotency_key


class Interrupted(StandfastError):
    """A stream of rows ended before its end. Ask for it again."""


class ApiError(StandfastError):
    """An answer that is an error. request_id finds it in the service's log."""

    status: int
    title: str
    detail: str
    faults: tuple[FieldFault, ...]
    """Which fields, of a call that was not taken for them."""
    possible: tuple[str, ...]
    """What can be done instead, of a campaign."""
    request_id: str

    def __init__(
        self,
        status: int,
        title: str,
        *,
        detail: str = "",
        faults: tuple[FieldFault, ...] = (),
        possible: tuple[str, ...] = (),
        request_id: str = "",
    ) -> None:
        self.status, self.title, self.detail = status, title, detail
        self.faults, self.possible, self.request_id = faults, possible, request_id
        parts = [f"{status} {title}.".replace("..", "."), detail, *map(str, faults)]
        if possible:
            parts.append(f"Possible now: {', '.join(possible)}.")
        if request_id:
            parts.append(f"(request {request_id})")
        super().__init__(" ".join(part for part in parts if part))


class BadRequest(ApiError):
    """400: the call cannot be read."""


class Unauthorized(ApiError):
    """401: the key is unknown, revoked or expired. Make another in the application."""


class Forbidden(ApiError):
    """403: the key lacks a scope, or may not be used from this address."""


class NotFound(ApiError):
    """404: there is no such thing in the account of the key."""


class Conflict(ApiError):
    """409: not possible as things stand; of campaigns `possible` says what is."""


class Changed(ApiError):
    """412: somebody changed it since it was read. Read it again, and make your change to what is there now."""


class TooLarge(ApiError):
    """413: the body is larger than the API takes."""


class Invalid(ApiError):
    """415 and 422: values that cannot be taken; `faults` names each."""


class TooManyRequests(ApiError):
    """429: the account has as many calls running as it may, also after the repetitions. Make fewer at a time."""


class ServerError(ApiError):
    """5xx: the service failed, also after the repetitions. Nothing was changed; make the call again later."""


class JobFailed(StandfastError):
    """Long work that was waited for failed or was cancelled."""

    def __init__(self, what: str, state: str, problem: str) -> None:
        super().__init__(f"{what} is {state}. {problem}".strip())
        self.state, self.problem = state, problem


class StillRunning(StandfastError):
    """Long work that was waited for has not ended in the time that was given. It goes on; wait again."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 412: Changed, 413: TooLarge,
    415: Invalid, 422: Invalid, 429: TooManyRequests,
}  # fmt: skip
_CHARS_MAX = 1000


def problem_of(status: int, body: bytes, *, request_id: str) -> ApiError:
    """The exception for an answer: problem details (RFC 9457), or whatever a proxy before the service says."""
    found = _object_of(body)
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    errors = found.get("errors")
    faults = tuple(_fault(each) for each in errors if isinstance(each, Mapping)) if isinstance(errors, list) else ()
    possible = found.get("possible")
    return kind(
        status,
        _said(found.get("title") or found.get("error")) or "The service answered with an error",
        detail=_said(found.get("detail")),
        faults=faults,
        possible=tuple(map(_said, possible)) if isinstance(possible, list) else (),
        request_id=_said(found.get("instance")) or request_id,
    )


def _object_of(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fault(row: Mapping[str, Any]) -> FieldFault:
    return FieldFault(_said(row.get("field")), _said(row.get("message")), _said(row.get("remedy")))


def _said(value: Any) -> str:
    return "" if value is None else str(value)[:_CHARS_MAX]
