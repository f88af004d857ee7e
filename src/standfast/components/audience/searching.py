"""Find people among a million: pages by key, the beginning of an address or name by index."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.models import Contact

PAGE = 50
COUNT_MAX = 100_000


# Members by primary key, those who left by the partial index audience_sub_left; both stop counting at the limit.
_SIZES = """
SELECT l, (SELECT count(*) FROM (SELECT 1 FROM audience_subscription WHERE account_id = %(a)s AND list_id = l LIMIT %(n)s) x),
       (SELECT count(*) FROM (SELECT 1 FROM audience_subscription
                              WHERE account_id = %(a)s AND list_id = l AND status = 'unsubscribed' LIMIT %(n)s) y)
FROM unnest(%(l)s::bigint[]) l
"""


# Strips of the primary key, evenly spread over the account's numbers. The inner count is no join: it reads its strip alone.
_SAMPLE = """
SELECT %(step)s::float / %(width)s * sum((SELECT count(*) FROM audience_contact c
  WHERE c.account_id = %(a)s AND c.id >= strip.lowest AND c.id < strip.lowest + %(width)s))
FROM generate_series(%(first)s::bigint, %(last)s::bigint, %(step)s::bigint) AS strip(lowest)
"""
STRIPS, WIDTH = 200, 100


class Found(NamedTuple):
    """A page of people, newest first; `older` is the id to go on below, `total` is COUNT_MAX + 1 for "more than that"."""

    people: list[Contact]
    older: int | None
    total: int | None


def newest(*, account_id: int, before: int | None, list_id: int | None = None) -> Found:
    """A page of the account's people, or of a list's. Both by their primary keys."""
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
    beginning = text.strip().lower()[:100].replace("\0", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM audience_search(%s, %s)", [beginning, PAGE])
        ids = [row[0] for row in cursor.fetchall()]
    return list(Contact.objects.filter(account_id=account_id, id__in=ids).order_by("email_key")[:PAGE])


def count_up_to(table: str, where: str, values: list[Any]) -> int:
    """Count rows, but stop after COUNT_MAX + 1: a page needs no more. `table` and `where` are ours, never a person's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {where} LIMIT {COUNT_MAX + 1}) x",  # noqa: S608
            values,
        )
        return int(cursor.fetchone()[0])


def how_many(*, account_id: int) -> tuple[int, bool]:
    """The account's people, and whether that is an estimate: beyond COUNT_MAX a sample tells, in three digits. In its scope."""
    counted = count_up_to("audience_contact", "account_id = %s", [account_id])
    if counted <= COUNT_MAX:
        return counted, False
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM audience_contact WHERE account_id = %s", [account_id])
        first, last = cursor.fetchone()
        step = max((last - first) // STRIPS + 1, WIDTH)
        cursor.execute(_SAMPLE, {"a": account_id, "first": first, "last": last, "step": step, "width": WIDTH})
        value = float(cursor.fetchone()[0])
    return int(round(value, 3 - len(str(int(value))))), True


def list_sizes(*, account_id: int, list_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Subscribed and unsubscribed of each list, each counted up to COUNT_MAX + 1."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, {"a": account_id, "l": list_ids, "n": COUNT_MAX + 1})
        rows = cursor.fetchall()
    return {pk: (members - left if members <= COUNT_MAX else members, left) for pk, members, left in rows}
