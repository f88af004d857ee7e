"""A contact as a call gives it, made into a row of ours, and what else the call asks for."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from standfast.components.audience.compatible.shapes import TEXTS, Custom, Customs, customs_of, unwrapped
from standfast.components.audience.mapping import plain
from standfast.components.audience.models import FieldType, List, Tag
from standfast.components.audience.typed_values import parser_of
from standfast.components.audience.upsert import ContactRow
from standfast.platform.rest.answers import EASTERN
from standfast.platform.rest.call import Call, invalid

_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")


class Given(NamedTuple):
    """`subscribe` is None where the call does not say; lists that are not the account's are left out."""

    row: ContactRow
    subscribe: bool | None
    join: list[int]
    leave: list[int]
    leave_campaign: int | None
    off_do_not_mail: bool
    customs: Customs


def given(call: Call) -> Given:
    """Read the contact of a call. Raises CallError naming the field."""
    body = unwrapped(call, "contact")
    customs = customs_of(call.account_id)
    texts = {name: body.text(name) if body.value(name) is not None else None for name in (*TEXTS, "uid")}
    row = ContactRow(
        email=body.text("email"), fields=_fields(body, customs) or None, tag_ids=tag_ids(body, "add_tags"),
        drop_tag_ids=tag_ids(body, "remove_tags"), **texts,
    )  # fmt: skip
    return Given(
        row=row,
        subscribe=body.flag("subscribe") if body.value("subscribe") is not None else None,
        join=_lists(call.account_id, [*body.ids("list_ids"), *body.ids("options[subscribe_list_ids]")]),
        leave=_lists(call.account_id, body.ids("options[unsubscribe_list_ids]")),
        leave_campaign=_campaign(body),
        off_do_not_mail=body.flag("remove_from_dnm"),
        customs=customs,
    )


def _campaign(body: Call) -> int | None:
    """The campaign to which an unsubscription is put down: an id, or a flag that says nothing of which."""
    value = body.value("options[unsubscribe_campaign]")
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def tag_ids(body: Call, name: str) -> list[int] | None:
    """Ids of tags by name; those that do not exist are ignored."""
    names = [text.replace("\0", "") for text in body.texts(name)]
    if not names:
        return None
    return list(Tag.objects.filter(account_id=body.account_id, name__in=names).values_list("id", flat=True))


def _lists(account_id: int, wanted: Sequence[int]) -> list[int]:
    if not wanted:
        return []
    known = set(List.objects.filter(account_id=account_id, pk__in=wanted).values_list("pk", flat=True))
    return [one for one in dict.fromkeys(wanted) if one in known]


def _fields(body: Call, customs: Customs) -> dict[str, Any]:
    """Custom fields by their name or label, typed; null or "" takes the value away. Unknown ones are ignored."""
    by_name = {plain(name): field for field in customs for name in (field.label, field.key)}
    found: dict[str, Any] = {}
    for name, value in body.table("custom_field").items():
        field = by_name.get(plain(name))
        if field is not None:
            found[field.key] = typed(field, value)
    return found


def typed(field: Custom, value: Any) -> Any:
    """A value as the field's type, None for nothing. Times without an offset are Eastern. Raises CallError."""
    if value is None or value in ("", [], {}):
        return None
    if not isinstance(value, str | int | float):
        raise invalid(**{field.key: "must be text"})
    text = {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else str(value).strip()
    if not text:
        return None
    try:
        parsed = json.loads(parser_of(field.field_type)(text.replace("\0", "")))
    except (ValueError, OverflowError) as error:
        raise invalid(**{field.key: str(error)}) from None
    if field.field_type == FieldType.DATETIME and not _OFFSET.search(text):
        try:
            local = dt.datetime.fromisoformat(parsed).replace(tzinfo=EASTERN)
            return local.astimezone(dt.UTC).isoformat()
        except (ValueError, OverflowError):
            raise invalid(**{field.key: "is no date and time"}) from None
    return parsed
