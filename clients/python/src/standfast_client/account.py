from __future__ import annotations

from typing import TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.values import Reading


class AccountInfo(TypedDict):
    id: int
    name: str
    time_zone: str
    address: str


class Account(Group):
    """The account of the key."""

    @operation("GET", "/account")
    def get(self, **more: Unpack[Reading]) -> AccountInfo:
        return self._calls.get(AccountInfo, "/account", **more)
