"""The account itself, for programs."""

from __future__ import annotations

from ninja import Router

from standfast.components.accounts.models import Account
from standfast.platform.rest.operation import Request, Schema, operation

router = Router(tags=["Account"])


class AccountOut(Schema):
    id: int
    name: str
    time_zone: str
    address: str


@operation(router, "GET", "/account", scope="account:read", response=AccountOut, summary="The account of the key")
def account(request: Request) -> Account:
    return Account.objects.get(pk=request.account_id)
