"""People: found, made, changed, erased; what is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.tags import Tag
from standfast_client.values import UNSET, FieldValue, Moment, Reading, Unset, When, Writing, given, parameters

CONTACTS_AT_ONCE = 10_000


class Contact(TypedDict):
    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    fax: str
    uid: str | None
    time_zone: str
    fields: dict[str, Any]
    tag_ids: list[int]
    created_at: Moment
    updated_at: Moment


class ContactIn(TypedDict):
    """A person to make or change, found by address. What is left out stays as it is."""

    email: str
    first_name: NotRequired[str]
    last_name: NotRequired[str]
    phone: NotRequired[str]
    fax: NotRequired[str]
    uid: NotRequired[str]
    time_zone: NotRequired[str]
    fields: NotRequired[Mapping[str, FieldValue]]


class SavedRow(TypedDict):
    outcome: str
    """created, updated, unchanged or refused"""
    id: int | None
    reason: str | None


class SavedRows(TypedDict):
    results: list[SavedRow]


class Place(TypedDict):
    """A list that a person is or was on."""

    list_id: int
    name: str
    status: str
    since_at: Moment


class Block(TypedDict):
    """Whether mail is kept from a person."""

    stopped: bool
    reason: str | None
    since_at: Moment | None
    brand_ids: list[int]


class Happened(TypedDict):
    """What happened to a person. position: its number in the account's log."""

    position: int
    kind: str
    at: Moment
    send_id: int | None
    details: dict[str, Any]


class Contacts(Group):
    @operation("GET", "/contacts")
    def all(
        self,
        *,
        email: str | None = None,
        uid: str | None = None,
        updated_after: When | None = None,
        limit: int = 500,
        **more: Unpack[Reading],
    ) -> Pages[Contact]:
        """People in the order they came. email, uid: exactly this one; limit: people a page."""

        def read(cursor: str | None) -> Page[Contact]:
            asked = parameters(email=email, uid=uid, updated_after=updated_after, cursor=cursor, limit=limit)
            return self._calls.get(Page[Contact], "/contacts", asked, **more)

        return Pages(read)

    def find(self, email: str, **more: Unpack[Reading]) -> Contact | None:
        """The person with an address."""
        return next(iter(self.all(email=email, limit=1, **more)), None)

    @operation("POST", "/contacts")
    def save(
        self,
        *,
        email: str,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        phone: str | Unset = UNSET,
        fax: str | Unset = UNSET,
        uid: str | Unset = UNSET,
        time_zone: str | Unset = UNSET,
        fields: Mapping[str, FieldValue] | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Contact:
        """Make a person, or change the one with this address."""
        body = given(
            email=email, first_name=first_name, last_name=last_name, phone=phone, fax=fax, uid=uid, time_zone=time_zone,
            fields=fields,
        )  # fmt: skip
        return self._calls.write(Contact, "POST", "/contacts", body, **more)

    @operation("POST", "/contacts/bulk")
    def save_many(
        self, contacts: Iterable[ContactIn], *, list_ids: Sequence[int] = (), **more: Unpack[Writing]
    ) -> list[SavedRow]:
        """Make or change any number of people, and subscribe them to lists; one result each, in order.

        They go in calls of up to 10,000. For a file of millions, `imports` is the better way.
        """

        def send(batch: list[ContactIn], **more: Unpack[Writing]) -> list[SavedRow]:
            body = {"contacts": batch, "list_ids": list(list_ids)}
            return self._calls.write(SavedRows, "POST", "/contacts/bulk", body, **more)["results"]

        return in_batches(contacts, send, most=CONTACTS_AT_ONCE, **more)

    @operation("GET", "/contacts/{contact_id}")
    def get(self, contact_id: int, **more: Unpack[Reading]) -> Contact:
        return self._calls.get(Contact, at("/contacts/{}", contact_id), **more)

    @operation("PATCH", "/contacts/{contact_id}")
    def change(
        self,
        contact_id: int,
        *,
        email: str | Unset = UNSET,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        phone: str | Unset = UNSET,
        fax: str | Unset = UNSET,
        uid: str | Unset | None = UNSET,
        time_zone: str | Unset = UNSET,
        fields: Mapping[str, FieldValue] | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Contact:
        body = given(
            email=email, first_name=first_name, last_name=last_name, phone=phone, fax=fax, uid=uid, time_zone=time_zone,
            fields=fields,
        )  # fmt: skip
        return self._calls.write(Contact, "PATCH", at("/contacts/{}", contact_id), body, **more)

    @operation("DELETE", "/contacts/{contact_id}")
    def erase(self, contact_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/contacts/{}", contact_id), **more)

    @operation("GET", "/contacts/{contact_id}/lists")
    def lists(self, contact_id: int, **more: Unpack[Reading]) -> list[Place]:
        return self._calls.get(list[Place], at("/contacts/{}/lists", contact_id), **more)

    @operation("GET", "/contacts/{contact_id}/tags")
    def tags(self, contact_id: int, **more: Unpack[Reading]) -> list[Tag]:
        return self._calls.get(list[Tag], at("/contacts/{}/tags", contact_id), **more)

    @operation("PUT", "/contacts/{contact_id}/tags")
    def set_tags(self, contact_id: int, *, tag_ids: Sequence[int], **more: Unpack[Writing]) -> list[Tag]:
        """These tags and no others."""
        where = at("/contacts/{}/tags", contact_id)
        return self._calls.write(list[Tag], "PUT", where, {"tag_ids": list(tag_ids)}, **more)

    @operation("GET", "/contacts/{contact_id}/do-not-mail")
    def do_not_mail(self, contact_id: int, **more: Unpack[Reading]) -> Block:
        return self._calls.get(Block, at("/contacts/{}/do-not-mail", contact_id), **more)

    @operation("GET", "/contacts/{contact_id}/events")
    def events(self, contact_id: int, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Happened]:
        def read(cursor: str | None) -> Page[Happened]:
            where = at("/contacts/{}/events", contact_id)
            return self._calls.get(Page[Happened], where, parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)
