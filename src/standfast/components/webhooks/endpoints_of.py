"""Make, change and end endpoints; send a part of the log again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.db import connection

from standfast.components.webhooks.kinds import kind_of
from standfast.components.webhooks.models import Delivery, DeliveryState, Endpoint, EndpointState
from standfast.components.webhooks.queries import QUERIES
from standfast.platform import events, sealing
from standfast.protocols.webhook_signature import new_secret

SECRET = "webhook"  # noqa: S105 - what the seal is for
OLD_SECRET_FOR = dt.timedelta(hours=24)
ENDPOINTS_MAX = 20
AGAIN_MAX = 10_000


class EndpointInvalid(ValueError):
    """The endpoint cannot be as asked; `field` and the text say why."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def create_endpoint(
    *, account_id: int, url: str, kinds: Iterable[str] = (), description: str = ""
) -> tuple[Endpoint, str]:
    """An endpoint, told of what happens from now on, and its secret. In the account's scope. Raises EndpointInvalid."""
    if Endpoint.objects.filter(account_id=account_id).count() >= ENDPOINTS_MAX:
        raise EndpointInvalid("url", f"An account can have at most {ENDPOINTS_MAX} endpoints.")
    secret = new_secret()
    with connection.cursor() as cursor:
        position = events.head(cursor, account_id=account_id)
    endpoint = Endpoint.objects.create(
        account_id=account_id, url=checked_url(url), kinds=_kinds(kinds), description=description[:255],
        secret_sealed=sealing.seal(secret, purpose=SECRET), from_position=position,
    )  # fmt: skip
    return endpoint, secret


def change_endpoint(
    endpoint: Endpoint, *, url: str | None = None, kinds: Iterable[str] | None = None, description: str | None = None,
    state: str | None = None,
) -> Endpoint:  # fmt: skip
    """Raises EndpointInvalid. An endpoint that was disabled and is active again is told what waited meanwhile."""
    if url is not None:
        endpoint.url = checked_url(url)
    if kinds is not None:
        endpoint.kinds = _kinds(kinds)
    if description is not None:
        endpoint.description = description[:255]
    if state is not None:
        if state not in (EndpointState.ACTIVE, EndpointState.PAUSED):
            raise EndpointInvalid("state", "An endpoint can be set to active or paused.")
        endpoint.state, endpoint.failing_since = state, None
    endpoint.save()
    return endpoint


def checked_url(url: str) -> str:
    """The address as it is kept. Raises EndpointInvalid."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host or len(url) > 2000 or not url.isprintable() or " " in url:
        raise EndpointInvalid("url", "Write the whole address, beginning with https://.")
    if parts.username or parts.password:
        raise EndpointInvalid("url", "Leave the user name out of the address: the signature says that it is us.")
    return url


def secret_of(endpoint: Endpoint) -> str:
    """The endpoint's secret, for the account's own eyes."""
    return sealing.unseal(endpoint.secret_sealed, purpose=SECRET)


def new_secret_of(endpoint: Endpoint, *, old_for: dt.timedelta = OLD_SECRET_FOR) -> str:
    """Another secret, valid at once; the present one signs beside it for `old_for`, and what was before that no more."""
    secret = new_secret()
    endpoint.former_secret_sealed = endpoint.secret_sealed if old_for else ""
    endpoint.former_until = dt.datetime.now(dt.UTC) + old_for if old_for else None
    endpoint.secret_sealed = sealing.seal(secret, purpose=SECRET)
    endpoint.save(update_fields=["secret_sealed", "former_secret_sealed", "former_until"])
    return secret


def delete_endpoint(endpoint: Endpoint) -> None:
    """End the endpoint: nothing is told to it any more. Its log, which may be long, is deleted soon after, by a job. In the
    account's scope."""
    from standfast.components.webhooks.jobs import LATER_SECONDS, forget_endpoint  # which need the queue's application

    later = forget_endpoint.configure(schedule_in={"seconds": LATER_SECONDS})
    later.defer(account_id=endpoint.account_id, endpoint_id=endpoint.pk)
    endpoint.delete()


def send_again(endpoint: Endpoint, *, first: int, last: int) -> int:
    """Have the events from position `first` to `last` told again; returns how many. Raises EndpointInvalid."""
    if not 0 < first <= last or last - first >= AGAIN_MAX:
        raise EndpointInvalid("last", f"Name at most {AGAIN_MAX:,} positions of the log, the first before the last.")
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.again.sql,
            {"account_id": endpoint.account_id, "endpoint_id": endpoint.pk, "first": first, "last": last,
             "now": dt.datetime.now(dt.UTC)},
        )  # fmt: skip
        return cursor.rowcount


def send_test(endpoint: Endpoint) -> int:
    """Have a `webhook.test` told to the endpoint, whatever it else hears of; returns its position in the log."""
    now = dt.datetime.now(dt.UTC)
    told = events.Event(now, "webhook_test", data={"endpoint": endpoint.pk})
    with connection.cursor() as cursor:
        position = events.append(cursor, account_id=endpoint.account_id, events=[told])
    Delivery.objects.create(
        account_id=endpoint.account_id, endpoint_id=endpoint.pk, position=position, kind=told.kind, next_at=now,
        state=DeliveryState.DUE, attempts=0,
    )  # fmt: skip
    return position


def _kinds(kinds: Iterable[str]) -> list[str]:
    try:
        return sorted({kind_of(one) for one in kinds})
    except ValueError as error:
        raise EndpointInvalid("kinds", str(error)) from error
