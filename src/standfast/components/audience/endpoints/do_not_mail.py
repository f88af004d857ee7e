"""Addresses that get no marketing mail at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from standfast.components.audience.endpoints.shapes import READ, WRITE, Addresses, Changed
from standfast.components.audience.models import DoNotMail, DoNotMailReason
from standfast.components.audience.suppressing import add_do_not_mail, lift_do_not_mail
from standfast.platform.rest.operation import ERRORS, PAGE_DEFAULT, PAGE_MAX, Schema, cursor_of, operation, text_after
from standfast.platform.rest.problems import FieldFault, unprocessable

router = Router(tags=["Do not mail"])


class DoNotMailOut(Schema):
    email: str
    reason: str
    detail: str
    created_at: dt.datetime


class DoNotMailPage(Schema):
    data: list[DoNotMailOut]
    next: str | None


@operation(
    router,
    "GET",
    "/do-not-mail",
    scope=READ,
    response={200: DoNotMailPage, **ERRORS},
    summary="Addresses on do-not-mail, all or one",
)
def do_not_mail(
    request: HttpRequest,
    cursor: str | None = None,
    limit: int = Query(PAGE_DEFAULT, ge=1, le=PAGE_MAX),
    email: str | None = Query(None, max_length=320, description="Exactly this address."),
) -> dict[str, Any]:
    found = DoNotMail.objects.filter(account_id=request.account_id)  # type: ignore[attr-defined]
    if email is not None:
        found = found.filter(email_key=email.strip().lower().replace("\0", ""))
    rows = list(found.filter(email_key__gt=text_after(cursor)).order_by("email_key")[: limit + 1])
    return {"data": rows[:limit], "next": cursor_of(rows[limit - 1].email_key) if len(rows) > limit else None}


@operation(
    router,
    "POST",
    "/do-not-mail",
    scope=WRITE,
    response={200: Changed, **ERRORS},
    summary="Put addresses on do-not-mail",
)
def stop_mail(request: HttpRequest, body: Addresses) -> dict[str, int]:
    """All of them or, where one is no address, none."""
    done = add_do_not_mail(account_id=request.account_id, entries=body.emails, reason=DoNotMailReason.API)  # type: ignore[attr-defined]
    if done.refused:
        address, reason = done.refused[0]
        raise unprocessable(FieldFault("body.emails", f"{address[:80]!r}: {reason}", "leave it out, or mend it"))
    return {"changed": done.added}


@operation(
    router,
    "POST",
    "/do-not-mail/lift",
    scope=WRITE,
    response={200: Changed, **ERRORS},
    summary="Take addresses off do-not-mail",
)
def allow_mail(request: HttpRequest, body: Addresses) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    return {"changed": sum(lift_do_not_mail(account_id=account_id, email=one) for one in body.emails)}
