"""Transactional mail: campaigns that messages are filed under, and the messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import Moment, Reading, When, Writing, given, parameters

MESSAGES_AT_ONCE = 1000


class TransactionalCampaign(TypedDict):
    id: int
    name: str
    subject: str
    preheader: str
    from_name: str
    from_email: str
    reply_to: str
    content_id: int | None
    address: str
    language: str
    brand_id: int | None
    created_at: Moment
    updated_at: Moment


class MessageIn(TypedDict):
    """A message from the campaign's content or another, or with its own html and text; Liquid reads `tags` as `tag`.

    key: your name for it; the same within a day is the same message.
    """

    email: str
    first_name: NotRequired[str]
    last_name: NotRequired[str]
    tags: NotRequired[Mapping[str, Any]]
    content_id: NotRequired[int]
    brand_id: NotRequired[int]
    html: NotRequired[str]
    text: NotRequired[str]
    subject: NotRequired[str]
    from_name: NotRequired[str]
    from_email: NotRequired[str]
    reply_to: NotRequired[str]
    bcc: NotRequired[str]
    ignore_do_not_mail: NotRequired[bool]
    send_at: NotRequired[When]
    key: NotRequired[str]


class Taken(TypedDict):
    """number: its number in the campaign; again: it had been taken before, under its key."""

    number: int
    again: bool


class TakenMessages(TypedDict):
    data: list[Taken]


class Message(TypedDict):
    number: int
    email: str
    status: str
    attempts: int
    updated_at: Moment | None
    reply: str | None


class Transactional(Group):
    @operation("GET", "/transactional-campaigns")
    def all(self, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[TransactionalCampaign]:
        def read(cursor: str | None) -> Page[TransactionalCampaign]:
            asked = parameters(cursor=cursor, limit=limit)
            return self._calls.get(Page[TransactionalCampaign], "/transactional-campaigns", asked, **more)

        return Pages(read)

    @operation("POST", "/transactional-campaigns")
    def make(
        self,
        *,
        name: str,
        subject: str = "",
        preheader: str = "",
        from_name: str = "",
        from_email: str = "",
        reply_to: str = "",
        content_id: int | None = None,
        address: str = "",
        language: str = "en",
        brand_id: int | None = None,
        **more: Unpack[Writing],
    ) -> TransactionalCampaign:
        body = given(
            name=name, subject=subject, preheader=preheader, from_name=from_name, from_email=from_email,
            reply_to=reply_to, content_id=content_id, address=address, language=language, brand_id=brand_id,
        )  # fmt: skip
        return self._calls.write(TransactionalCampaign, "POST", "/transactional-campaigns", body, **more)

    @operation("POST", "/messages")
    def send(self, messages: Iterable[MessageIn], *, campaign_id: int, **more: Unpack[Writing]) -> list[Taken]:
        """Send any number of messages, 1,000 a call, each call taken whole or not at all; one result each, in order.

        They are on the service's disk when it returns, and leave before all bulk.
        """

        def send(batch: list[MessageIn], **more: Unpack[Writing]) -> list[Taken]:
            body = {"campaign_id": campaign_id, "messages": batch}
            return self._calls.write(TakenMessages, "POST", "/messages", body, **more)["data"]

        return in_batches(messages, send, most=MESSAGES_AT_ONCE, **more)

    @operation("GET", "/transactional-campaigns/{campaign_id}/messages/{number}")
    def message(self, campaign_id: int, number: int, **more: Unpack[Reading]) -> Message:
        """What became of a message."""
        where = at("/transactional-campaigns/{}/messages/{}", campaign_id, number)
        return self._calls.get(Message, where, **more)
