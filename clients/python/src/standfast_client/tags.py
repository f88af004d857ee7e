"""Tags, put on people and taken off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import in_batches
from standfast_client.values import Count, Moment, Reading, Writing

PEOPLE_AT_ONCE = 10_000


class Tag(TypedDict):
    id: int
    name: str
    created_at: Moment


class Tags(Group):
    @operation("GET", "/tags")
    def all(self, **more: Unpack[Reading]) -> list[Tag]:
        return self._calls.get(list[Tag], "/tags", **more)

    @operation("POST", "/tags")
    def make(self, *, name: str, **more: Unpack[Writing]) -> Tag:
        return self._calls.write(Tag, "POST", "/tags", {"name": name}, **more)

    @operation("PATCH", "/tags/{tag_id}")
    def rename(self, tag_id: int, *, name: str, **more: Unpack[Writing]) -> Tag:
        return self._calls.write(Tag, "PATCH", at("/tags/{}", tag_id), {"name": name}, **more)

    @operation("DELETE", "/tags/{tag_id}")
    def delete(self, tag_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/tags/{}", tag_id), **more)

    @operation("POST", "/tags/apply")
    def apply(
        self,
        *,
        contact_ids: Iterable[int],
        add: Sequence[int] = (),
        remove: Sequence[int] = (),
        **more: Unpack[Writing],
    ) -> int:
        """Put tags on any number of people and take others off; returns how many people changed."""

        def send(batch: list[int], **more: Unpack[Writing]) -> list[int]:
            body = {"contact_ids": batch, "add": list(add), "remove": list(remove)}
            return [self._calls.write(Count, "POST", "/tags/apply", body, **more)["changed"]]

        return sum(in_batches(contact_ids, send, most=PEOPLE_AT_ONCE, **more))
