"""What moves campaigns on without a person: due ones are frozen, finished ones are sent, stuck ones are held or ended.

Runs in the worker several times a second over all accounts. Each step claims one campaign with SKIP LOCKED in one transaction
of its account, so several workers share the work and a killed one leaves the campaign where it was.
"""

from __future__ import annotations

import structlog
from django.db import OperationalError, transaction

from standfast.components.campaigns import preflight, states
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.sources import sources_of
from standfast.components.delivery import api as delivery
from standfast.platform.tenancy import account_scope

log = structlog.get_logger()
S = CampaignState


def tend() -> int:
    """One round; returns how many campaigns moved. As the worker's role, which sees every account."""
    moved = 0
    for account_id, campaign_id, state in _with_something_to_do():
        try:
            moved += _step(account_id, campaign_id, state)
        except OperationalError:
            raise  # the database, not the campaign: the round is made again
        except Exception as error:
            # One campaign that fails must not keep everybody else's from leaving.
            log.exception("a campaign could not be moved on", account=account_id, campaign=campaign_id)
            _set_aside(account_id, campaign_id, state, error)
    return moved


def _step(account_id: int, campaign_id: int, state: str) -> int:
    with account_scope(account_id):
        campaign = _claimed(account_id, campaign_id, state)
        return 0 if campaign is None else _STEPS[S(state)](campaign)


def _claimed(account_id: int, campaign_id: int, state: str) -> Campaign | None:
    found = Campaign.objects.select_for_update(of=("self",), skip_locked=True)
    return found.filter(account_id=account_id, pk=campaign_id, state=state).first()


def _set_aside(account_id: int, campaign_id: int, state: str, error: Exception) -> None:
    """Hold a campaign whose step failed, where it can be held: it shows why, and a person goes on with it."""
    if S.HELD not in states.MOVES[state]:
        return
    with account_scope(account_id):
        campaign = _claimed(account_id, campaign_id, state)
        if campaign is not None:
            why = f"An error of Standfast's own: {type(error).__name__}. The worker's log has it."
            states.hold(campaign, reason="error", detail=why)


def _with_something_to_do() -> list[tuple[int, int, str]]:
    live = [S.SCHEDULED, S.FREEZING, S.SENDING, S.PAUSED, S.HELD]
    with transaction.atomic():
        rows = Campaign.objects.filter(state__in=live).values_list(
            "account_id", "pk", "state", "send_at", "state_since_at", "send__state"
        )
        found = []
        for account_id, campaign_id, state, send_at, since_at, send_state in rows:
            late = (
                since_at is not None and state in states.DEADLINES and states.now() - since_at > states.DEADLINES[state]
            )
            due = state == S.SCHEDULED and send_at is not None and send_at <= states.now()
            done = state == S.SENDING and send_state != delivery.SendState.READY
            if late or due or done or state == S.FREEZING:
                found.append((account_id, campaign_id, state))
        return found


def _start(campaign: Campaign) -> int:
    states.move(campaign, S.FREEZING)
    return 1


def _freeze(campaign: Campaign) -> int:
    found = preflight.check(campaign)
    if not found.may_send:
        errors = " ".join(finding.what for finding in found.findings if finding.severity == "error")
        states.hold(campaign, reason="pre-flight", detail=errors)
        return 1
    send, audience = delivery.freeze_send(
        account_id=campaign.account_id,
        campaign_id=campaign.pk,
        sources=sources_of(campaign),
        list_ids=campaign.list_ids,
        suppressed_list_ids=campaign.suppressed_list_ids,
        rate_per_minute=campaign.rate_per_minute,
    )
    campaign.send = send
    campaign.skipped = audience.skipped
    campaign.save(update_fields=["send", "skipped"])
    states.move(campaign, S.SENDING)
    log.info("campaign frozen", account=campaign.account_id, campaign=campaign.pk, total=audience.total)
    return 1


def _finish(campaign: Campaign) -> int:
    send = campaign.send
    if send is None or send.state == delivery.SendState.FINISHED:
        states.move(campaign, S.SENT)
    elif send.state == delivery.SendState.PAUSED:
        states.hold(campaign, reason="route", detail=send.problem or "The way out does not work.")
    elif send.state == delivery.SendState.CANCELLED:
        states.move(campaign, S.CANCELLED)
    else:
        states.hold(campaign, reason="deadline", detail="It was still sending after seven days.")
    return 1


def _give_up(campaign: Campaign) -> int:
    states.move(campaign, S.CANCELLED, why="nobody went on with it for thirty days")
    if campaign.send_id:
        delivery.set_state(account_id=campaign.account_id, send_id=campaign.send_id, state=delivery.SendState.CANCELLED)
    return 1


_STEPS = {S.SCHEDULED: _start, S.FREEZING: _freeze, S.SENDING: _finish, S.PAUSED: _give_up, S.HELD: _give_up}
