"""Find people among a million: pages by key, the beginning of an address or name by index."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.models import Contact

PAGE = 50
COUNT_MAX = 100_000


class Found(NamedTuple):
    """A page of people, newest first; `older` is the id to go on below, `total` is COUNT_MAX + 1 for "more than that"."""

    people: list[Contact]
    older: int | None
    total: int | None


def newest(*, account_id: int, before: int | None, list_id: int | None = None) -> Found:
    """A page of the account's people, or of a list's. Index (account_id, id DESC); a list's by its primary key."""
    people = Contact.objects.filter(account_id=account_id).defer("fields")
    if before is not None:
        people = people.filter(id__lt=before)
    if list_id is not None:
        ids = _members(account_id, list_id, before)
        people = people.filter(id__in=ids)
    rows = list(people.order_by("-id")[: PAGE + 1])
    return Found(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None, None)


def _members(account_id: int, list_id: int, before: int | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id FROM audience_subscription WHERE account_id = %s AND list_id = %s AND contact_id < %s "
            "ORDER BY contact_id DESC LIMIT %s",
            [account_id, list_id, before or 2**62, PAGE + 1],
        )
        return [row[0] for row in cursor.fetchall()]


def search(*, account_id: int, text: str) -> list[Contact]:
    """The first people whose address, first or last name begins so; each by its own index."""
    start = text.strip().lower()[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    columns = "account_id, id"
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ".join(
                f"(SELECT {columns} FROM audience_contact WHERE account_id = %s AND {what} LIKE %s LIMIT {PAGE})"  # noqa: S608 - constants
                for what in ("email_key", "lower(last_name)", "lower(first_name)")
            ),
            [account_id, start] * 3,
        )
        ids = [row[1] for row in cursor.fetchall()]
    return list(Contact.objects.filter(account_id=account_id, id__in=ids).order_by("email_key")[:PAGE])


def count_up_to(table: str, where: str, values: list[Any]) -> int:
    """Count rows, but stop after COUNT_MAX + 1: a page needs no more. `table` and `where` are ours, never a person's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {where} LIMIT {COUNT_MAX + 1}) x",  # noqa: S608
            values,
        )
        return int(cursor.fetchone()[0])


def list_sizes(*, account_id: int, list_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Subscribed and unsubscribed of each list, each counted up to COUNT_MAX + 1."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l, (SELECT count(*) FROM (SELECT 1 FROM audience_subscription WHERE account_id = %(a)s AND list_id = l "
            "AND status = 'subscribed' LIMIT %(n)s) x), (SELECT count(*) FROM (SELECT 1 FROM audience_subscription "
            "WHERE account_id = %(a)s AND list_id = l AND status <> 'subscribed' LIMIT %(n)s) y) FROM unnest(%(l)s::bigint[]) l",
            {"a": account_id, "l": list_ids, "n": COUNT_MAX + 1},
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
