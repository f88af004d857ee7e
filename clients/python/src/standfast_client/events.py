"""What happened: the account's log, and what your programs tell of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import Moment, Reading, When, Writing, parameters

EVENTS_AT_ONCE = 10_000


class EventIn(TypedDict):
    """What somebody did; say who by one of contact_id, email and uid. id: yours, the same within seven days is the same event."""

    name: str
    contact_id: NotRequired[int]
    email: NotRequired[str]
    uid: NotRequired[str]
    occurred_at: NotRequired[When]
    properties: NotRequired[Mapping[str, Any]]
    id: NotRequired[str]


class Noted(TypedDict):
    """outcome: taken, again (its id was taken before) or refused."""

    outcome: str
    position: int | None
    contact_id: int | None
    reason: str | None


class NotedRows(TypedDict):
    results: list[Noted]


class Event(TypedDict):
    """position: its number in the account's log."""

    position: int
    kind: str
    at: Moment
    contact_id: int | None
    send_id: int | None
    number: int | None
    details: dict[str, Any]


class Events(Group):
    @operation("GET", "/events")
    def all(self, *, after: int = 0, limit: int = 500, **more: Unpack[Reading]) -> Pages[Event]:
        """The account's log from behind a position, the oldest first."""

        def read(cursor: str | None) -> Page[Event]:
            return self._calls.get(Page[Event], "/events", parameters(after=after, cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/events")
    def tell(self, events: Iterable[EventIn], *, create_contacts: bool = False, **more: Unpack[Writing]) -> list[Noted]:
        """Tell what people did, any number, 10,000 a call; one result each, in order."""

        def send(batch: list[EventIn], **more: Unpack[Writing]) -> list[Noted]:
            body = {"events": batch, "create_contacts": create_contacts}
            return self._calls.write(NotedRows, "POST", "/events", body, **more)["results"]

        return in_batches(events, send, most=EVENTS_AT_ONCE, **more)
