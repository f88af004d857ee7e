"""Pages for what went wrong: what happened, and what to do."""

from __future__ import annotations

import errno
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """403; also CSRF_FAILURE_VIEW, where `reason` is Django's."""
    return _page(
        request,
        403,
        reason="The form was too old; reload the page and send it again." if reason else str(exception or ""),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _page(request, 404)


def too_often(request: HttpRequest) -> HttpResponse:
    """429: sign-ins and passwords are tried a limited number of times."""
    return _page(request, 429)


def failed(request: HttpRequest) -> HttpResponse:
    """500; 503 where the database could not be reached, 507 (RFC 4918, 11.5) where a disk is full."""
    error = sys.exc_info()[1]
    if disk_is_full(error):
        return _page(request, 507)
    return _page(request, 503 if isinstance(error, (OperationalError, InterfaceError)) else 500)


def disk_is_full(error: BaseException | None) -> bool:
    """Whether this says so: of our own disk, or the database of its (SQLSTATE 53100)."""
    if isinstance(error, OperationalError):
        return getattr(error.__cause__, "sqlstate", None) == "53100"
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _page(request: HttpRequest, status: int, *, reason: str = "") -> HttpResponse:
    # Without the request's context processors: they ask the database, which may be what failed.
    context = {"csp_nonce": getattr(request, "csp_nonce", ""), "reason": reason}
    return HttpResponse(loader.get_template(f"{status}.html").render(context), status=status)
