"""What a person does with a campaign. Each action locks the row, moves the state, and is safe to repeat or to race.

All run in the account's scope (platform.tenancy.account_scope) and raise Campaign.DoesNotExist for a stranger's campaign.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from standfast.components.campaigns import preflight, states
from standfast.components.campaigns.drafts import SETTINGS, create_draft
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.options import may_delete
from standfast.components.campaigns.sources import sources_of
from standfast.components.content.api import SAMPLE, contact_values, find_contact, newest_contact
from standfast.components.delivery import api as delivery

S = CampaignState


class NotReady(ValueError):
    """The pre-flight found errors; `found` has them."""

    def __init__(self, found: preflight.Preflight) -> None:
        self.found = found
        errors = [finding.what for finding in found.findings if finding.severity == "error"]
        super().__init__("This campaign cannot be sent yet. " + " ".join(errors))


def schedule(*, account_id: int, campaign_id: int, at: dt.datetime | None, by: states.By = states.NOBODY) -> Campaign:
    """Send now (`at` None or past) or at a time (aware). Raises NotReady, IllegalMove."""
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    if campaign.send_id is not None:
        # A page from before it was held still has the button: a second freeze would send everybody everything again.
        raise states.IllegalMove("This campaign has begun to leave; “Go on” sends what has not left.")
    later = at is not None and at > states.now()
    to = S.SCHEDULED if later else S.FREEZING
    states.refuse_illegal(campaign, to)  # before the pre-flight, which counts the audience
    found = preflight.check(campaign)
    if not found.may_send:
        raise NotReady(found)
    campaign.send_at = at if later else None
    states.move(campaign, to, by=by)
    campaign.save(update_fields=["send_at"])
    return campaign


def unschedule(*, account_id: int, campaign_id: int, by: states.By = states.NOBODY) -> Campaign:
    """Back to draft, to be edited, from scheduled or from a hold before anything was frozen. Raises IllegalMove."""
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    if campaign.send_id is not None:
        raise states.IllegalMove("This campaign has begun to leave; it can be cancelled, or duplicated and edited.")
    states.move(campaign, S.DRAFT, by=by)
    return campaign


def pause(*, account_id: int, campaign_id: int, by: states.By = states.NOBODY) -> Campaign:
    """Stop what has not left; takes effect within a second. Raises IllegalMove."""
    return _with_send(account_id, campaign_id, S.PAUSED, delivery.SendState.PAUSED, by)


def resume(*, account_id: int, campaign_id: int, by: states.By = states.NOBODY) -> Campaign:
    """Go on after a pause or a hold. A campaign held before its freeze is frozen again. Raises IllegalMove, NotReady."""
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    if campaign.state not in (S.PAUSED, S.HELD):
        # the steward's own moves into sending are legal in the table: from freezing, and after the end
        raise states.IllegalMove(
            f"This campaign is {campaign.get_state_display().lower()}; there is nothing to go on with."
        )
    if campaign.state == S.HELD and campaign.send_id is None:
        found = preflight.check(campaign)
        if not found.may_send:
            raise NotReady(found)
        states.move(campaign, S.FREEZING, by=by)
        return campaign
    return _with_send(account_id, campaign_id, S.SENDING, delivery.SendState.READY, by)


def cancel(*, account_id: int, campaign_id: int, by: states.By = states.NOBODY) -> Campaign:
    """End it; what has not left is cancelled within a second. Raises IllegalMove."""
    return _with_send(account_id, campaign_id, S.CANCELLED, delivery.SendState.CANCELLED, by)


def _with_send(
    account_id: int, campaign_id: int, to: CampaignState, send_state: delivery.SendState, by: states.By
) -> Campaign:
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    ended = delivery.Send.objects.filter(
        account_id=account_id, pk=campaign.send_id or 0, state=delivery.SendState.FINISHED
    )
    if campaign.state == S.SENDING and ended.exists():
        raise states.IllegalMove("Everything has left already.")
    states.move(campaign, to, by=by)
    if campaign.send_id:
        delivery.set_state(account_id=account_id, send_id=campaign.send_id, state=send_state)
    return campaign


def resend_uncertain(*, account_id: int, campaign_id: int, by: states.By = states.NOBODY) -> int:
    """Send the uncertain messages again, same Message-IDs; returns how many."""
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    if campaign.send_id is None or campaign.state not in (S.SENT, S.SENDING):
        raise states.IllegalMove("Only a campaign that was sent has uncertain messages.")
    count = delivery.resend_uncertain(account_id=account_id, send_id=campaign.send_id)
    if count and campaign.state == S.SENT:
        states.move(campaign, S.SENDING, by=by, why=f"{count} uncertain messages are sent again")
    return count


def test_send(*, account_id: int, campaign_id: int, emails: Sequence[str], contact: Mapping[str, Any]) -> int:
    """Send the campaign as it is now to typed addresses, rendered as `contact`. Raises NotReady for content errors, ValueError."""
    campaign = Campaign.objects.select_related("account", "content").get(account_id=account_id, pk=campaign_id)
    found = preflight.check(campaign)
    blocking = [f for f in found.findings if f.severity == "error" and f.step in ("details", "content")]
    if blocking:
        found.findings = blocking
        raise NotReady(found)
    sources = sources_of(campaign)
    sources["subject"] = f"[Test] {sources['subject']}"
    # kept with the send as JSON, where a time is text; Liquid's date filter reads it
    values = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in contact.items()}
    return len(delivery.test_send(account_id=account_id, sources=sources, emails=emails, contact=values))


def seen_as(*, account_id: int, email: str = "") -> Mapping[str, Any]:
    """Whom a test is written to: the contact with this address, without one the newest, where there is nobody a made-up one.

    Raises ValueError where no contact has the address.
    """
    someone = find_contact(account_id=account_id, email=email) if email else newest_contact(account_id=account_id)
    if email and someone is None:
        raise ValueError("No contact has this address.")
    return contact_values(someone) if someone else dict(SAMPLE)


def delete(*, account_id: int, campaign_id: int) -> Campaign:
    """Delete what was never sent; returns what it was. Raises IllegalMove."""
    campaign = states.locked(account_id=account_id, campaign_id=campaign_id)
    if not may_delete(campaign):
        raise states.IllegalMove("A campaign that was sent, or is on its way, cannot be deleted: its books stay.")
    campaign.delete()
    return campaign


def duplicate(*, account_id: int, campaign_id: int, by_user_id: int | None = None) -> Campaign:
    """A new draft with the same settings."""
    old = Campaign.objects.get(account_id=account_id, pk=campaign_id)
    values = {name: getattr(old, name) for name in SETTINGS if name != "name"}
    return create_draft(
        account_id=account_id, values={**values, "name": f"Copy of {old.name}"[:255]}, by_user_id=by_user_id
    )
