"""About how many an audience is: a page cannot wait for a million people to be judged one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.db import connection

from standfast.components.delivery.freeze import Audience, count_audience
from standfast.components.delivery.queries import QUERIES

COUNTED_MAX = 30_000  # subscriptions; up to so many are judged one by one
STRIPS, WIDTH = 200, 50
SURE = 5_000  # of so many in the sample the third digit stands


def estimate_audience(
    *,
    account_id: int,
    list_ids: Sequence[int],
    suppressed_list_ids: Sequence[int],
    secure_list_ids: Sequence[int] = (),
    brand_id: int | None = None,
) -> Audience:
    """The judgement of the freeze, for few people exactly; for many of a sample of strips of contact numbers, evenly spread,
    so that lists that were imported one after the other have their part. Nobody in the sample: counted after all. In the
    account's scope."""
    chosen: dict[str, Any] = {"account_id": account_id, "list_ids": list(list_ids)}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.extent_of_lists.sql, chosen | {"most": COUNTED_MAX + 1})
        first, last, subscriptions = cursor.fetchone()
        if subscriptions > COUNTED_MAX:
            step = max(math.ceil((last - first + 1) / STRIPS), WIDTH)
            chosen |= {"suppressed_list_ids": list(suppressed_list_ids), "width": WIDTH}
            chosen |= {"secure_list_ids": list(secure_list_ids), "brand_id": brand_id}
            cursor.execute(QUERIES.sample_audience.sql, chosen | {"first": first, "last": last, "step": step})
            counts = {reason: _scaled(count, step / WIDTH) for reason, count in cursor.fetchall()}
            if None in counts:
                return Audience(counts.pop(None), counts, is_estimate=True)
    return count_audience(
        account_id=account_id, list_ids=list_ids, suppressed_list_ids=suppressed_list_ids,
        secure_list_ids=secure_list_ids, brand_id=brand_id,
    )  # fmt: skip


def _scaled(count: int, factor: float) -> int:
    """In two or three digits: more would be a promise."""
    value, digits = count * factor, 3 if count >= SURE else 2
    return int(round(value, min(0, digits - len(str(int(value))))))
