"""People as CSV, read piece by piece from the database: memory does not grow with the list."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from standfast.components.audience.models import Contact, CustomField, Subscription, Tag

PIECE = 2_000
_TEXTS = ("email", "first_name", "last_name", "phone", "fax", "uid", "time_zone")
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_FIGURE = re.compile(r"[+-][0-9][0-9 ().,-]*")
"""Numbers and telephone numbers, which stay as they are: nothing of this calls anything."""


def contacts_csv(*, account_id: int, list_id: int | None = None) -> Iterator[str]:
    """The account's people, or a list's with their status. In the account's scope, which must last to the end."""
    customs = list(CustomField.objects.filter(account_id=account_id).order_by("pk"))
    tags = dict(Tag.objects.filter(account_id=account_id).values_list("pk", "name"))
    header = [
        "E-mail",
        "First name",
        "Last name",
        "Phone",
        "Fax",
        "UID",
        "Time zone",
        *(c.label for c in customs),
        "Tags",
    ]
    yield "\ufeff" + _line([*map(_harmless, header), "Added", *(["Status"] if list_id else [])])
    after = 0
    while True:
        people, states = _piece(account_id, list_id, after)
        if not people:
            return
        lines = io.StringIO()
        writer = csv.writer(lines)
        for one in people:
            fields = [one.fields.get(c.key, "") for c in customs]
            named = ",".join(tags[tag] for tag in one.tag_ids if tag in tags)
            cells = [*(getattr(one, name) or "" for name in _TEXTS), *fields, named, one.created_at.isoformat()]
            writer.writerow([_harmless(cell) for cell in [*cells, *([states[one.id]] if list_id else [])]])
        yield lines.getvalue()
        after = people[-1].id


def _piece(account_id: int, list_id: int | None, after: int) -> tuple[list[Contact], dict[int, str]]:
    people = Contact.objects.filter(account_id=account_id, id__gt=after).order_by("id")
    if list_id is None:
        return list(people[:PIECE]), {}
    rows = Subscription.objects.filter(account_id=account_id, list_id=list_id, contact_id__gt=after)
    states = dict(rows.order_by("contact_id").values_list("contact_id", "status")[:PIECE])
    return list(people.filter(id__in=list(states))), states


def _harmless(value: object) -> object:
    """A spreadsheet runs text that begins like a formula; a quote before it makes it text."""
    risky = isinstance(value, str) and value.startswith(_RISKY) and not _FIGURE.fullmatch(value)
    return f"'{value}" if risky else value


def _line(cells: list[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
