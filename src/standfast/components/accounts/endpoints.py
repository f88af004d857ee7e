"""The account itself, for programs."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from standfast.components.accounts.models import Account
from standfast.platform.rest.operation import Schema, operation

router = Router(tags=["Account"])


class AccountOut(Schema):
    id: int
    name: str
    time_zone: str
    address: str


@operation(router, "GET", "/account", scope="account:read", response=AccountOut, summary="The account of the key")
def account(request: HttpRequest) -> Account:
    return Account.objects.get(pk=request.account_id)  # type: ignore[attr-defined]
