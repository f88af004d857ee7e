"""What several endpoints take and answer with, and the finding of what a path or a body names."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from ninja import Field

from standfast.components.audience.models import Contact, List, Tag
from standfast.components.audience.queries import QUERIES
from standfast.components.audience.typed_values import parser_of
from standfast.platform.rest.finding import one_of
from standfast.platform.rest.operation import Schema
from standfast.platform.rest.problems import FieldFault, taken, unprocessable
from standfast.platform.rest.values import Address, Id

READ, WRITE = "contacts:read", "contacts:write"
BULK_MAX = 10_000
TAGS_AT_ONCE = 50
M = TypeVar("M", bound=Model)


class ContactOut(Schema):
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
    created_at: dt.datetime
    updated_at: dt.datetime


class Members(Schema):
    contact_ids: list[Id] = Field(min_length=1, max_length=BULK_MAX)


class Addresses(Schema):
    emails: list[Address] = Field(min_length=1, max_length=BULK_MAX)


class Changed(Schema):
    changed: int


class TagOut(Schema):
    id: int
    name: str
    created_at: dt.datetime


def contact_of(account_id: int, contact_id: int) -> Contact:
    """Raises Problem where the account has no such person."""
    return one_of(Contact.objects.filter(account_id=account_id), contact_id, "contact")


def list_of(account_id: int, list_id: int) -> List:
    return one_of(List.objects.filter(account_id=account_id), list_id, "list")


def saved(one: M) -> M:
    """Raises Problem (409) where another one has its name."""
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError as error:
        raise taken("body.name") from error
    return one


def known_contacts(account_id: int, ids: Sequence[int]) -> list[int]:
    """The ids, all of them the account's people. Raises Problem naming one that is not."""
    found = set(Contact.objects.filter(account_id=account_id, id__in=set(ids)).values_list("id", flat=True))
    missing = [one for one in ids if one not in found]
    if missing:
        raise unprocessable(
            FieldFault("body.contact_ids", f"there is no contact {missing[0]}", "send ids of this account's people")
        )
    return sorted(found)


def known_tags(account_id: int, ids: Sequence[int], where: str) -> list[int]:
    """The same for tags."""
    found = set(Tag.objects.filter(account_id=account_id, pk__in=set(ids)).values_list("pk", flat=True))
    missing = [one for one in ids if one not in found]
    if missing:
        raise unprocessable(FieldFault(where, f"there is no tag {missing[0]}", "send ids that GET /tags gives"))
    return sorted(found)


Customs = Mapping[str, tuple[str, Callable[[str], str]]]
"""Of each custom field of an account: its type, and what parses its values."""


def customs_of(account_id: int) -> Customs:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.custom_fields.sql, {"account_id": account_id})
        return {key: (kind, parser_of(kind)) for key, _, kind, _ in cursor.fetchall()}


class ValueRefused(ValueError):
    """A custom field's value cannot be; `field` names it."""

    def __init__(self, field: str, text: str, remedy: str) -> None:
        super().__init__(text)
        self.field, self.remedy = field, remedy


def typed_values(customs: Customs, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Custom fields as their types, None for what is to go. Raises ValueRefused."""
    return None if given is None else {key: _typed(customs, key, value) for key, value in given.items()}


def _typed(customs: Customs, key: str, value: Any) -> Any:
    found = customs.get(key)
    if found is None:
        raise ValueRefused(key[:80], "there is no such custom field", "make it first, or leave it out")
    kind, parse = found
    if value is None:
        return None
    text = str(value).replace("\0", "").strip()  # "True" and "False" are read as yes and no
    if not text:
        return None
    try:
        return json.loads(parse(text))
    except (ValueError, OverflowError) as error:
        raise ValueRefused(key, str(error), f"send a {kind}") from None
