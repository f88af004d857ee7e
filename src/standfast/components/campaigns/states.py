"""The campaign's state machine: which moves are legal, who made them, how long a state may last.

    draft -> scheduled | freezing          scheduled -> freezing | draft | cancelled
    freezing -> sending | sent | held      sending -> paused | held | sent | cancelled
    paused -> sending | held | cancelled   held -> sending | freezing | draft | cancelled

Every move is a row in the event log.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import connection

from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.delivery import api as delivery
from standfast.platform import events

S = CampaignState
MOVES: dict[str, frozenset[str]] = {
    S.DRAFT: frozenset({S.SCHEDULED, S.FREEZING}),
    S.SCHEDULED: frozenset({S.FREEZING, S.DRAFT, S.CANCELLED, S.HELD}),
    S.FREEZING: frozenset({S.SENDING, S.SENT, S.HELD, S.CANCELLED}),
    S.SENDING: frozenset({S.PAUSED, S.HELD, S.SENT, S.CANCELLED}),
    S.PAUSED: frozenset({S.SENDING, S.HELD, S.CANCELLED}),
    S.HELD: frozenset({S.SENDING, S.FREEZING, S.CANCELLED, S.DRAFT}),
    S.SENT: frozenset({S.SENDING}),  # uncertain messages that a person sends again
    S.CANCELLED: frozenset(),
}

DEADLINES: dict[str, dt.timedelta] = {
    S.FREEZING: dt.timedelta(hours=1),
    S.SENDING: dt.timedelta(days=7),
    S.PAUSED: dt.timedelta(days=30),
    S.HELD: dt.timedelta(days=30),
}
"""How long a state may last before the campaign is held (freezing, sending) or cancelled (paused, held): none lasts for ever."""


class By(NamedTuple):
    """Who makes a move: a user, or a program under the name of its API key. Neither: the product itself."""

    user_id: int | None = None
    key: str = ""


NOBODY = By()


class IllegalMove(ValueError):
    """The campaign is not in a state from which this is possible; the text says so to a person."""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def is_late(state: str, since_at: dt.datetime | None) -> bool:
    """Whether a campaign has been in its state for longer than it may."""
    return since_at is not None and state in DEADLINES and now() - since_at > DEADLINES[state]


def locked(*, account_id: int, campaign_id: int) -> Campaign:
    """The campaign, locked for a move. Raises Campaign.DoesNotExist. In the account's scope."""
    return Campaign.objects.select_for_update(of=("self",)).get(account_id=account_id, pk=campaign_id)


def refuse_illegal(campaign: Campaign, to: CampaignState) -> None:
    """Raise IllegalMove where a campaign cannot move to a state from its own."""
    if to not in MOVES[campaign.state]:
        is_, become = CampaignState(campaign.state).label.lower(), to.label.lower()
        raise IllegalMove(f"This campaign is {is_}; it cannot become {become}.")


def move(campaign: Campaign, to: CampaignState, *, by: By = NOBODY, why: str = "") -> None:
    """Change the state of a locked campaign and tell the log. Raises IllegalMove."""
    refuse_illegal(campaign, to)
    was = campaign.state
    campaign.state = to
    campaign.state_since_at = now()
    if to == S.FREEZING and campaign.started_at is None:
        campaign.started_at = campaign.state_since_at
    campaign.finished_at = campaign.state_since_at if to in (S.SENT, S.CANCELLED) else None
    campaign.save(update_fields=["state", "state_since_at", "started_at", "finished_at", "updated_at"])
    if was == S.HELD:
        Hold.objects.filter(campaign=campaign, released_at=None).update(released_at=now())
    data = {"campaign_id": campaign.pk, "from": str(was), "to": str(to), "by": by.user_id, "why": why}
    if by.key:
        data["key"] = by.key
    with connection.cursor() as cursor:
        told = events.Event(now(), "campaign_moved", None, campaign.send_id, None, data)
        events.append(cursor, account_id=campaign.account_id, events=[told])


def hold(campaign: Campaign, *, reason: str, detail: str) -> None:
    """Stop a locked campaign and say why; a person releases it."""
    move(campaign, S.HELD, why=f"{reason}: {detail}")
    Hold.objects.create(account_id=campaign.account_id, campaign=campaign, reason=reason, detail=detail)
    if campaign.send_id:
        delivery.set_state(account_id=campaign.account_id, send_id=campaign.send_id, state=delivery.SendState.PAUSED)
