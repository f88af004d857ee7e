"""Addresses that get no marketing mail at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ninja import Query, Router

from standfast.components.audience.endpoints.shapes import READ, WRITE, Addresses, Changed
from standfast.components.audience.models import DoNotMail, DoNotMailReason
from standfast.components.audience.suppressing import add_do_not_mail, lift_do_not_mail
from standfast.platform.rest.finding import Paging, page_of, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, unprocessable

router = Router(tags=["Do not mail"])


class DoNotMailOut(Schema):
    email: str
    reason: str
    detail: str
    created_at: dt.datetime


@operation(
    router,
    "GET",
    "/do-not-mail",
    scope=READ,
    response=page_shape(DoNotMailOut),
    summary="Addresses on do-not-mail, all or one",
)
def do_not_mail(
    request: Request,
    paging: Query[Paging],
    email: str | None = Query(None, max_length=320, description="Exactly this address."),
) -> dict[str, Any]:
    found = DoNotMail.objects.filter(account_id=request.account_id)
    if email is not None:
        found = found.filter(email_key=email.strip().lower().replace("\0", ""))
    return page_of(found, paging, by="email_key")


@operation(router, "POST", "/do-not-mail", scope=WRITE, response=Changed, summary="Put addresses on do-not-mail")
def stop_mail(request: Request, body: Addresses) -> dict[str, int]:
    """All of them or, where one is no address, none."""
    done = add_do_not_mail(account_id=request.account_id, entries=body.emails, reason=DoNotMailReason.API)
    if done.refused:
        address, reason = done.refused[0]
        raise unprocessable(FieldFault("body.emails", f"{address[:80]!r}: {reason}", "leave it out, or mend it"))
    return {"changed": done.added}


@operation(router, "POST", "/do-not-mail/lift", scope=WRITE, response=Changed, summary="Take addresses off do-not-mail")
def allow_mail(request: Request, body: Addresses) -> dict[str, int]:
    account_id = request.account_id
    return {"changed": sum(lift_do_not_mail(account_id=account_id, email=one) for one in body.emails)}
