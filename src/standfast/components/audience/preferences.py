"""What a person may see and change of herself without signing in: names, time zone, and the lists she is or was on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from django.db import connection

from standfast.components.audience.brands import brand_of_mail
from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import (
    BrandDoNotMail,
    Contact,
    DoNotMail,
    List,
    Subscription,
    SubscriptionStatus,
)
from standfast.components.audience.subscribing import subscribe, unsubscribe
from standfast.platform import events

REASON = "preferences"


class Place(NamedTuple):
    """A list that the person is or was on."""

    list_id: int
    name: str
    description: str
    subscribed: bool


class Preferences(NamedTuple):
    """`stopped`: the address gets no mail of the brand (that of no brand, where none was named), whatever the lists say."""

    email: str
    first_name: str
    last_name: str
    time_zone: str
    places: list[Place]
    stopped: bool


def preferences_of(*, account_id: int, contact_id: int, of_mail: tuple[int, int] | None = None) -> Preferences | None:
    """What the person's page shows, None where there is no such contact. In the account's scope.

    of_mail: (send_id, seq) of the mail that led there.
    """
    contact = Contact.objects.filter(account_id=account_id, id=contact_id).first()
    if contact is None:
        return None
    status = dict(
        Subscription.objects.filter(account_id=account_id, contact_id=contact_id).values_list("list_id", "status")
    )
    lists = List.objects.filter(account_id=account_id, pk__in=status).order_by("name")
    places = [
        Place(each.pk, each.name, each.description, status[each.pk] == SubscriptionStatus.SUBSCRIBED) for each in lists
    ]
    brand_id = brand_of_mail(account_id=account_id, send_id=of_mail[0], seq=of_mail[1]) if of_mail else None
    who = {"account_id": account_id, "email_key": contact.email_key}
    kept = (
        DoNotMail.objects.filter(**who) if brand_id is None else BrandDoNotMail.objects.filter(brand_id=brand_id, **who)
    )
    stopped = kept.exists()
    return Preferences(contact.email, contact.first_name, contact.last_name, contact.time_zone, places, stopped)


def change_preferences(
    *, account_id: int, contact_id: int, first_name: str, last_name: str, time_zone: str, list_ids: Collection[int]
) -> bool:
    """Set what the person wishes, with an event for each change; False where there is no such contact.

    Of `list_ids`, the lists she wants to be on, only those count that she is or was on: nobody joins a list she was
    never asked about. In the account's scope, to be committed by the caller.
    """
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
    now = preferences_of(account_id=account_id, contact_id=contact_id)
    if now is None:
        return False
    wished = {"first_name": first_name, "last_name": last_name, "time_zone": time_zone}
    changed = {name: value for name, value in wished.items() if value != getattr(now, name)}
    if changed:
        at = dt.datetime.now(dt.UTC)
        Contact.objects.filter(account_id=account_id, id=contact_id).update(**changed, updated_at=at)
        told = events.Event(at, "contact_updated", contact_id, data={"way": REASON, "fields": sorted(changed)})
        with connection.cursor() as cursor:
            events.append(cursor, account_id=account_id, events=[told])
    for place in now.places:
        if place.subscribed and place.list_id not in list_ids:
            unsubscribe(account_id=account_id, list_id=place.list_id, contact_ids=[contact_id], reason=REASON)
        elif not place.subscribed and place.list_id in list_ids:
            subscribe(account_id=account_id, list_id=place.list_id, contact_ids=[contact_id], reason=REASON)
    return True
