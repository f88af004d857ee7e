"""Secure lists: addresses that are compared and never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import in_batches
from standfast_client.values import Moment, Reading, Writing

ENTRIES_AT_ONCE = 10_000


class SecureList(TypedDict):
    id: int
    name: str
    description: str
    size: int
    created_at: Moment
    updated_at: Moment


class Entered(TypedDict):
    added: int
    refused: int


class SecureLists(Group):
    @operation("GET", "/secure-lists")
    def all(self, **more: Unpack[Reading]) -> list[SecureList]:
        return self._calls.get(list[SecureList], "/secure-lists", **more)

    @operation("POST", "/secure-lists")
    def make(self, *, name: str, description: str = "", **more: Unpack[Writing]) -> SecureList:
        body = {"name": name, "description": description}
        return self._calls.write(SecureList, "POST", "/secure-lists", body, **more)

    @operation("GET", "/secure-lists/{list_id}")
    def get(self, list_id: int, **more: Unpack[Reading]) -> SecureList:
        return self._calls.get(SecureList, at("/secure-lists/{}", list_id), **more)

    @operation("DELETE", "/secure-lists/{list_id}")
    def delete(self, list_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/secure-lists/{}", list_id), **more)

    @operation("POST", "/secure-lists/{list_id}/entries")
    def add(self, list_id: int, *, entries: Iterable[str], **more: Unpack[Writing]) -> Entered:
        """Add any number of addresses or digests of addresses, 10,000 a call."""
        where = at("/secure-lists/{}/entries", list_id)

        def send(batch: list[str], **more: Unpack[Writing]) -> list[Entered]:
            return [self._calls.write(Entered, "POST", where, {"entries": batch}, **more)]

        done = in_batches(entries, send, most=ENTRIES_AT_ONCE, **more)
        return {"added": sum(one["added"] for one in done), "refused": sum(one["refused"] for one in done)}
