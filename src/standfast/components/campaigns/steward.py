"""What moves campaigns on without a person: due ones are frozen, finished ones are sent, stuck ones are held or ended.

Runs in the worker several times a second over all accounts. Each step claims one campaign with SKIP LOCKED in one transaction
of its account, so several workers share the work and a killed one leaves the campaign where it was.
"""

from __future__ import annotations

import time

import structlog
from django.db import OperationalError, connection, transaction

from standfast.components.campaigns import preflight, states
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.sources import sources_of
from standfast.components.delivery import api as delivery
from standfast.platform.tenancy import account_scope

log = structlog.get_logger()
S = CampaignState
AGAIN_SECONDS = 60.0
_left_alone: dict[int, float] = {}  # campaign -> monotonic time until which its step is not tried again


def tend() -> int:
    """One round; returns how many campaigns moved. As the worker's role, which sees every account.

    Raises OperationalError when the database itself went away: the round is made again."""
    moved = 0
    for account_id, campaign_id, state in _with_something_to_do():
        if _left_alone.get(campaign_id, 0) > time.monotonic():
            continue
        try:
            moved += _step(account_id, campaign_id, state)
        except Exception as error:
            if not connection.is_usable():
                raise  # the database, not the campaign
            # One campaign that fails must not keep everybody else's from leaving.
            log.exception("a campaign could not be moved on", account=account_id, campaign=campaign_id)
            _set_aside(account_id, campaign_id, state, error)
        else:
            _left_alone.pop(campaign_id, None)
    return moved


def _step(account_id: int, campaign_id: int, state: str) -> int:
    with account_scope(account_id):
        campaign = _claimed(account_id, campaign_id, state)
        return 0 if campaign is None else _STEPS[S(state)](campaign)


def _claimed(account_id: int, campaign_id: int, state: str) -> Campaign | None:
    found = Campaign.objects.select_for_update(of=("self",), skip_locked=True)
    return found.filter(account_id=account_id, pk=campaign_id, state=state).first()


def _set_aside(account_id: int, campaign_id: int, state: str, error: Exception) -> None:
    """Hold a campaign whose step failed, so that it shows why and a person goes on with it. What a later round may mend (a full
    disk, a deadlock) is only tried later, up to the state's deadline; and so is what cannot even be held."""
    _left_alone[campaign_id] = time.monotonic() + AGAIN_SECONDS
    try:
        with account_scope(account_id):
            campaign = _claimed(account_id, campaign_id, state)
            if campaign is None or S.HELD not in states.MOVES[state]:
                return
            if not isinstance(error, OperationalError):
                why = f"An error of Standfast's own: {type(error).__name__}. The worker's log has it."
                states.hold(campaign, reason="error", detail=why)
            elif states.is_late(campaign.state, campaign.state_since_at):
                states.hold(campaign, reason="database", detail=f"The database refused: {_first_line(error)}")
    except Exception:
        if not connection.is_usable():
            raise
        log.exception("a campaign could not be held", account=account_id, campaign=campaign_id)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _with_something_to_do() -> list[tuple[int, int, str]]:
    live = [S.SCHEDULED, S.FREEZING, S.SENDING, S.PAUSED, S.HELD]
    with transaction.atomic():
        rows = Campaign.objects.filter(state__in=live).values_list(
            "account_id", "pk", "state", "send_at", "state_since_at", "send__state"
        )
        found = []
        for account_id, campaign_id, state, send_at, since_at, send_state in rows:
            late = states.is_late(state, since_at)
            due = state == S.SCHEDULED and send_at is not None and send_at <= states.now()
            done = state == S.SENDING and send_state != delivery.SendState.READY
            if late or due or done or state == S.FREEZING:
                found.append((account_id, campaign_id, state))
        return found


def _start(campaign: Campaign) -> int:
    if campaign.send_at is None or campaign.send_at > states.now():
        return 0  # somebody moved it meanwhile
    states.move(campaign, S.FREEZING)
    return 1


def _freeze(campaign: Campaign) -> int:
    if campaign.send_id is not None:
        raise RuntimeError("the campaign is frozen already; a second send would reach everybody twice")
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
        secure_list_ids=campaign.secure_list_ids,
        brand_id=campaign.brand_id,
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
    if send is None:
        states.move(campaign, S.CANCELLED, why="its send was deleted")
    elif send.state == delivery.SendState.FINISHED:
        states.move(campaign, S.SENT)
    elif send.state == delivery.SendState.PAUSED:
        states.hold(campaign, reason="route", detail=send.problem or "The way out does not work.")
    elif send.state == delivery.SendState.CANCELLED:
        states.move(campaign, S.CANCELLED)
    elif states.is_late(campaign.state, campaign.state_since_at):
        states.hold(
            campaign, reason="deadline", detail=f"It was still sending after seven days. {send.problem}".strip()
        )
    else:
        return 0  # it went on meanwhile
    return 1


def _give_up(campaign: Campaign) -> int:
    if not states.is_late(campaign.state, campaign.state_since_at):
        return 0
    states.move(campaign, S.CANCELLED, why="nobody went on with it for thirty days")
    if campaign.send_id:
        delivery.set_state(account_id=campaign.account_id, send_id=campaign.send_id, state=delivery.SendState.CANCELLED)
    return 1


_STEPS = {S.SCHEDULED: _start, S.FREEZING: _freeze, S.SENDING: _finish, S.PAUSED: _give_up, S.HELD: _give_up}
