"""The few figures of a campaign that lists and the dashboard show, from the roll-ups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from standfast.components.tracking.api import SendCounter

_NAMES = {
    "delivered": "delivered",
    "opens_unique": "opened",
    "clicks_unique": "clicked",
    "unsubscribed": "unsubscribed",
}


class Result(NamedTuple):
    """People, each counted once; machines are left out."""

    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0


def results_of(*, account_id: int, send_ids: Iterable[int | None]) -> dict[int, Result]:
    """Results by send; a send without any is not in it. In the account's scope."""
    wanted = [send_id for send_id in send_ids if send_id is not None]
    rows = SendCounter.objects.filter(account_id=account_id, send_id__in=wanted, name__in=_NAMES).values_list(
        "send_id", "name", "value"
    )
    found: dict[int, dict[str, int]] = {}
    for send_id, name, value in rows:
        found.setdefault(send_id, {})[_NAMES[name]] = value
    return {send_id: Result(**values) for send_id, values in found.items()}
