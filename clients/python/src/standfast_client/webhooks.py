"""Webhooks: endpoints that are told what happens, what they were told, telling it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import UNSET, Moment, Reading, Unset, Writing, given, parameters


class Webhook(TypedDict):
    """state: active, paused, or disabled after failing for days."""

    id: int
    url: str
    types: list[str]
    description: str
    state: str
    failing_since: Moment | None
    created_at: Moment


class NewWebhook(Webhook):
    """secret: shown this once; deliveries are signed with it."""

    secret: str


class WebhookSecret(TypedDict):
    secret: str


class Delivery(TypedDict):
    """state: due, trying, done or failed. message_id: the header webhook-id, the same in every attempt."""

    position: int
    message_id: str
    type: str
    state: str
    attempts: int
    next_at: Moment | None
    detail: str | None
    done_at: Moment | None


class Attempt(TypedDict):
    n: int
    at: Moment
    status: int | None
    milliseconds: int | None
    detail: str | None


class DeliveryDetail(Delivery):
    tries: list[Attempt]


class ToldAgain(TypedDict):
    deliveries: int


class Tested(TypedDict):
    position: int


class Webhooks(Group):
    @operation("GET", "/webhooks")
    def all(self, **more: Unpack[Reading]) -> list[Webhook]:
        return self._calls.get(list[Webhook], "/webhooks", **more)

    @operation("GET", "/webhooks/types")
    def types(self, *, timeout: float | None = None) -> list[str]:
        """What there is to be told of."""
        return self._calls.get(list[str], "/webhooks/types", timeout=timeout)

    @operation("POST", "/webhooks")
    def make(
        self, *, url: str, types: Sequence[str] = (), description: str = "", **more: Unpack[Writing]
    ) -> NewWebhook:
        """Without types it is told everything. Keep the `secret`: it is shown this once."""
        body = given(url=url, types=list(types) or UNSET, description=description)
        return self._calls.write(NewWebhook, "POST", "/webhooks", body, **more)

    @operation("GET", "/webhooks/{endpoint_id}")
    def get(self, endpoint_id: int, **more: Unpack[Reading]) -> Webhook:
        return self._calls.get(Webhook, at("/webhooks/{}", endpoint_id), **more)

    @operation("PATCH", "/webhooks/{endpoint_id}")
    def change(
        self,
        endpoint_id: int,
        *,
        url: str | Unset = UNSET,
        types: Sequence[str] | Unset = UNSET,
        description: str | Unset = UNSET,
        state: Literal["active", "paused"] | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Webhook:
        body = given(url=url, types=types, description=description, state=state)
        return self._calls.write(Webhook, "PATCH", at("/webhooks/{}", endpoint_id), body, **more)

    @operation("DELETE", "/webhooks/{endpoint_id}")
    def delete(self, endpoint_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/webhooks/{}", endpoint_id), **more)

    @operation("POST", "/webhooks/{endpoint_id}/secret")
    def new_secret(self, endpoint_id: int, *, old_hours: int = 24, **more: Unpack[Writing]) -> str:
        """Another secret, valid at once. For `old_hours` (0 to 168) what is told is signed with the old one too."""
        path, body = at("/webhooks/{}/secret", endpoint_id), {"old_hours": old_hours}
        return self._calls.write(WebhookSecret, "POST", path, body, **more)["secret"]

    @operation("POST", "/webhooks/{endpoint_id}/test")
    def test(self, endpoint_id: int, **more: Unpack[Writing]) -> int:
        """Have a `webhook.test` told to it; returns its position in the log."""
        return self._calls.write(Tested, "POST", at("/webhooks/{}/test", endpoint_id), **more)["position"]

    @operation("GET", "/webhooks/{endpoint_id}/deliveries")
    def deliveries(
        self,
        endpoint_id: int,
        *,
        state: Literal["due", "trying", "done", "failed"] | None = None,
        limit: int = 500,
        **more: Unpack[Reading],
    ) -> Pages[Delivery]:
        def read(cursor: str | None) -> Page[Delivery]:
            where = at("/webhooks/{}/deliveries", endpoint_id)
            return self._calls.get(Page[Delivery], where, parameters(state=state, cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("GET", "/webhooks/{endpoint_id}/deliveries/{position}")
    def delivery(self, endpoint_id: int, position: int, **more: Unpack[Reading]) -> DeliveryDetail:
        """One delivery with every attempt."""
        return self._calls.get(DeliveryDetail, at("/webhooks/{}/deliveries/{}", endpoint_id, position), **more)

    @operation("POST", "/webhooks/{endpoint_id}/deliveries/{position}/again")
    def deliver_again(self, endpoint_id: int, position: int, **more: Unpack[Writing]) -> int:
        where = at("/webhooks/{}/deliveries/{}/again", endpoint_id, position)
        return self._calls.write(ToldAgain, "POST", where, **more)["deliveries"]

    @operation("POST", "/webhooks/{endpoint_id}/again")
    def tell_again(self, endpoint_id: int, *, first: int, last: int, **more: Unpack[Writing]) -> int:
        """Tell a span of the log again, up to 10,000; returns how many deliveries that makes."""
        where = at("/webhooks/{}/again", endpoint_id)
        return self._calls.write(ToldAgain, "POST", where, {"first": first, "last": last}, **more)["deliveries"]
