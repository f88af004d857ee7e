"""What happened to a campaign as a whole: its moves, from the event log."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.db import connection

from standfast.components.accounts.api import User
from standfast.components.campaigns.models import CampaignState

MOVES_MAX = 100
_SAYS = {
    "draft": ("pencil", "grey", "Went back to draft"),
    "scheduled": ("calendar-time", "violet", "Was scheduled"),
    "freezing": ("users-group", "blue", "The audience was counted out"),
    "sending": ("send", "blue", "Sending began"),
    "paused": ("player-pause", "amber", "Was paused"),
    "held": ("hand-stop", "red", "Was held"),
    "sent": ("circle-check", "green", "Was sent to the last person"),
    "cancelled": ("circle-x", "grey", "Was cancelled"),
}


@dataclass(frozen=True)
class Move:
    """A line of the history, as the timeline shows it."""

    icon: str
    colour: str
    title: str
    at: dt.datetime
    detail: str


def moves(*, account_id: int, campaign_id: int) -> list[Move]:
    """The campaign's moves, newest first. Index event_campaign. In the account's scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, data FROM event WHERE account_id = %s AND kind = 'campaign_moved' "
            "AND (data->>'campaign_id')::bigint = %s ORDER BY position DESC LIMIT %s",
            [account_id, campaign_id, MOVES_MAX],
        )
        rows = [(at, data if isinstance(data, dict) else dict(json.loads(data))) for at, data in cursor.fetchall()]
    names = _names({int(data["by"]) for _, data in rows if data.get("by")})
    return [_move(at, data, names) for at, data in rows]


def _names(user_ids: set[int]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in=user_ids)} if user_ids else {}


def _move(at: dt.datetime, data: dict[str, object], names: dict[int, str]) -> Move:
    was, to = str(data.get("from", "")), str(data.get("to", ""))
    icon, colour, title = _SAYS.get(to, ("point", "grey", to))
    if to == CampaignState.SENDING and was in {CampaignState.PAUSED, CampaignState.HELD}:
        icon, title = "player-play", "Went on"
    by = names.get(int(str(data["by"]))) if data.get("by") else None
    if data.get("key"):
        by = f"the key “{data['key']}”"
    why = str(data.get("why") or "")
    detail = " · ".join(part for part in (f"by {by}" if by else "", why[:1].upper() + why[1:]) if part)
    return Move(icon, colour, title, at, detail)
