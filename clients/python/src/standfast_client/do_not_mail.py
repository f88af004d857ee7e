"""Addresses that get no mail at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import Count, Moment, Reading, Writing, parameters

ADDRESSES_AT_ONCE = 10_000


class Stopped(TypedDict):
    email: str
    reason: str
    detail: str
    created_at: Moment


class DoNotMail(Group):
    @operation("GET", "/do-not-mail")
    def all(self, *, email: str | None = None, limit: int = 500, **more: Unpack[Reading]) -> Pages[Stopped]:
        """email: exactly this address."""

        def read(cursor: str | None) -> Page[Stopped]:
            asked = parameters(email=email, cursor=cursor, limit=limit)
            return self._calls.get(Page[Stopped], "/do-not-mail", asked, **more)

        return Pages(read)

    @operation("POST", "/do-not-mail")
    def add(self, *, emails: Iterable[str], **more: Unpack[Writing]) -> int:
        """Keep all mail from any number of addresses, 10,000 a call; returns how many it was not kept from."""
        return self._each("/do-not-mail", emails, more)

    @operation("POST", "/do-not-mail/lift")
    def lift(self, *, emails: Iterable[str], **more: Unpack[Writing]) -> int:
        return self._each("/do-not-mail/lift", emails, more)

    def _each(self, where: str, emails: Iterable[str], more: Writing) -> int:
        def send(batch: list[str], **more: Unpack[Writing]) -> list[int]:
            return [self._calls.write(Count, "POST", where, {"emails": batch}, **more)["changed"]]

        return sum(in_batches(emails, send, most=ADDRESSES_AT_ONCE, **more))
