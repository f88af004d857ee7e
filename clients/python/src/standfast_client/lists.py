"""Lists and who is on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.contacts import Contact
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import UNSET, Count, Moment, Reading, Unset, Writing, given, parameters

MEMBERS_AT_ONCE = 10_000


class ContactList(TypedDict):
    id: int
    name: str
    description: str
    address: str
    language: str
    from_name: str
    from_email: str
    reply_to_email: str
    display_name: str
    add_to_unsubscribe_page: bool
    subscribers: int
    unsubscribes: int
    refreshed_at: Moment | None
    created_at: Moment
    updated_at: Moment


class Lists(Group):
    @operation("GET", "/lists")
    def all(self, **more: Unpack[Reading]) -> list[ContactList]:
        return self._calls.get(list[ContactList], "/lists", **more)

    @operation("POST", "/lists")
    def make(self, *, name: str, description: str = "", **more: Unpack[Writing]) -> ContactList:
        """Make a list, or find the one with this name."""
        return self._calls.write(ContactList, "POST", "/lists", {"name": name, "description": description}, **more)

    @operation("GET", "/lists/{list_id}")
    def get(self, list_id: int, **more: Unpack[Reading]) -> ContactList:
        return self._calls.get(ContactList, at("/lists/{}", list_id), **more)

    @operation("PATCH", "/lists/{list_id}")
    def change(
        self,
        list_id: int,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        address: str | Unset = UNSET,
        language: str | Unset = UNSET,
        from_name: str | Unset = UNSET,
        from_email: str | Unset = UNSET,
        reply_to_email: str | Unset = UNSET,
        display_name: str | Unset = UNSET,
        add_to_unsubscribe_page: bool | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> ContactList:
        body = given(
            name=name, description=description, address=address, language=language, from_name=from_name,
            from_email=from_email, reply_to_email=reply_to_email, display_name=display_name,
            add_to_unsubscribe_page=add_to_unsubscribe_page,
        )  # fmt: skip
        return self._calls.write(ContactList, "PATCH", at("/lists/{}", list_id), body, **more)

    @operation("DELETE", "/lists/{list_id}")
    def delete(self, list_id: int, **more: Unpack[Writing]) -> None:
        """Its people stay."""
        self._calls.delete(at("/lists/{}", list_id), **more)

    @operation("GET", "/lists/{list_id}/contacts")
    def contacts(self, list_id: int, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Contact]:
        """A list's subscribers."""

        def read(cursor: str | None) -> Page[Contact]:
            where = at("/lists/{}/contacts", list_id)
            return self._calls.get(Page[Contact], where, parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/lists/{list_id}/subscribe")
    def subscribe(self, list_id: int, *, contact_ids: Iterable[int], **more: Unpack[Writing]) -> int:
        """Subscribe any number of people, 10,000 a call; returns how many were not before."""
        return self._members(at("/lists/{}/subscribe", list_id), contact_ids, more)

    @operation("POST", "/lists/{list_id}/unsubscribe")
    def unsubscribe(self, list_id: int, *, contact_ids: Iterable[int], **more: Unpack[Writing]) -> int:
        return self._members(at("/lists/{}/unsubscribe", list_id), contact_ids, more)

    def _members(self, where: str, contact_ids: Iterable[int], more: Writing) -> int:
        def send(batch: list[int], **more: Unpack[Writing]) -> list[int]:
            return [self._calls.write(Count, "POST", where, {"contact_ids": batch}, **more)["changed"]]

        return sum(in_batches(contact_ids, send, most=MEMBERS_AT_ONCE, **more))
