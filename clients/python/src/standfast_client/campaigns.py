"""Campaigns: made, checked, sent, followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import UNSET, Guarded, Moment, Reading, Unset, When, Writing, given, parameters
from standfast_client.waiting import wait_until

State: TypeAlias = Literal["draft", "scheduled", "freezing", "sending", "paused", "held", "sent", "cancelled"]
MOVING = frozenset({"scheduled", "freezing", "sending"})


class CampaignRow(TypedDict):
    """options: what can be done with it as it stands. skipped: people left out, by reason."""

    id: int
    name: str
    state: str
    options: list[str]
    subject: str
    preheader: str
    from_name: str
    from_email: str
    reply_to: str
    address: str
    language: str
    content_id: int | None
    list_ids: list[int]
    suppressed_list_ids: list[int]
    secure_list_ids: list[int]
    brand_id: int | None
    rate_per_minute: int | None
    send_at: Moment | None
    skipped: dict[str, int]
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class Campaign(CampaignRow):
    """etag: the version that was read, for `if_match`."""

    etag: str


class Skipped(TypedDict):
    reason: str
    text: str
    people: int


class Audience(TypedDict):
    total: int
    skipped: list[Skipped]
    is_estimate: bool


class Finding(TypedDict):
    """severity: error (it cannot be sent) or warning."""

    severity: str
    step: str
    what: str
    remedy: str
    line: int | None


class CampaignChecks(TypedDict):
    may_send: bool
    findings: list[Finding]
    audience: Audience | None
    links: int


class TestSent(TypedDict):
    sent: int


class SentAgain(TypedDict):
    sent_again: int


class Hold(TypedDict):
    """Why a campaign stands still."""

    reason: str
    detail: str
    held_at: Moment


class Progress(TypedDict):
    state: str
    total: int
    done: int
    open: int
    recipients: dict[str, int]
    skipped: list[Skipped]
    hold: Hold | None
    ask_again_seconds: int


class Move(TypedDict):
    at: Moment
    title: str
    detail: str


class Campaigns(Group):
    @operation("GET", "/campaigns")
    def all(
        self, *, state: Sequence[State] = (), name: str | None = None, limit: int = 500, **more: Unpack[Reading]
    ) -> Pages[CampaignRow]:
        """state: only these; name: any part of the name."""

        def read(cursor: str | None) -> Page[CampaignRow]:
            asked = parameters(
                state=[state] if isinstance(state, str) else state, name=name, cursor=cursor, limit=limit
            )
            return self._calls.get(Page[CampaignRow], "/campaigns", asked, **more)

        return Pages(read)

    @operation("POST", "/campaigns")
    def make(
        self,
        *,
        name: str,
        subject: str = "",
        preheader: str = "",
        from_name: str = "",
        from_email: str = "",
        reply_to: str = "",
        address: str = "",
        language: str = "en",
        content_id: int | None = None,
        list_ids: Sequence[int] = (),
        suppressed_list_ids: Sequence[int] = (),
        secure_list_ids: Sequence[int] = (),
        brand_id: int | None = None,
        rate_per_minute: int | None = None,
        **more: Unpack[Writing],
    ) -> Campaign:
        """Make a draft; it may have gaps until it is sent."""
        body = given(
            name=name, subject=subject, preheader=preheader, from_name=from_name, from_email=from_email,
            reply_to=reply_to, address=address, language=language, content_id=content_id, list_ids=list_ids,
            suppressed_list_ids=suppressed_list_ids, secure_list_ids=secure_list_ids, brand_id=brand_id,
            rate_per_minute=rate_per_minute,
        )  # fmt: skip
        return self._calls.write_versioned(Campaign, "POST", "/campaigns", body, **more)

    @operation("GET", "/campaigns/{campaign_id}")
    def get(self, campaign_id: int, **more: Unpack[Reading]) -> Campaign:
        return self._calls.get_versioned(Campaign, at("/campaigns/{}", campaign_id), **more)

    @operation("PATCH", "/campaigns/{campaign_id}")
    def change(
        self,
        campaign_id: int,
        *,
        name: str | Unset = UNSET,
        subject: str | Unset = UNSET,
        preheader: str | Unset = UNSET,
        from_name: str | Unset = UNSET,
        from_email: str | Unset = UNSET,
        reply_to: str | Unset = UNSET,
        address: str | Unset = UNSET,
        language: str | Unset = UNSET,
        content_id: int | Unset | None = UNSET,
        list_ids: Sequence[int] | Unset = UNSET,
        suppressed_list_ids: Sequence[int] | Unset = UNSET,
        secure_list_ids: Sequence[int] | Unset = UNSET,
        brand_id: int | Unset | None = UNSET,
        rate_per_minute: int | Unset | None = UNSET,
        **more: Unpack[Guarded],
    ) -> Campaign:
        """Change a draft."""
        body = given(
            name=name, subject=subject, preheader=preheader, from_name=from_name, from_email=from_email,
            reply_to=reply_to, address=address, language=language, content_id=content_id, list_ids=list_ids,
            suppressed_list_ids=suppressed_list_ids, secure_list_ids=secure_list_ids, brand_id=brand_id,
            rate_per_minute=rate_per_minute,
        )  # fmt: skip
        return self._calls.write_versioned(Campaign, "PATCH", at("/campaigns/{}", campaign_id), body, **more)

    @operation("DELETE", "/campaigns/{campaign_id}")
    def delete(self, campaign_id: int, **more: Unpack[Guarded]) -> None:
        """Delete a campaign that was never sent."""
        self._calls.delete(at("/campaigns/{}", campaign_id), **more)

    @operation("POST", "/campaigns/{campaign_id}/duplicate")
    def duplicate(self, campaign_id: int, **more: Unpack[Writing]) -> Campaign:
        return self._calls.write_versioned(Campaign, "POST", at("/campaigns/{}/duplicate", campaign_id), **more)

    @operation("GET", "/campaigns/{campaign_id}/checks")
    def checks(self, campaign_id: int, *, exact: bool = False, **more: Unpack[Reading]) -> CampaignChecks:
        """What keeps it from leaving. exact: judge everybody, however many; otherwise a large audience is estimated."""
        where = at("/campaigns/{}/checks", campaign_id)
        return self._calls.get(CampaignChecks, where, parameters(exact=exact), **more)

    @operation("GET", "/campaigns/{campaign_id}/audience")
    def audience(self, campaign_id: int, *, exact: bool = False, **more: Unpack[Reading]) -> Audience:
        where = at("/campaigns/{}/audience", campaign_id)
        return self._calls.get(Audience, where, parameters(exact=exact), **more)

    @operation("POST", "/campaigns/{campaign_id}/test")
    def test(self, campaign_id: int, *, emails: Sequence[str], as_contact: str = "", **more: Unpack[Writing]) -> int:
        """Send it as it is now to up to 30 addresses; returns how many. as_contact: whose fields are filled in."""
        body = {"emails": list(emails), "as_contact": as_contact}
        return self._calls.write(TestSent, "POST", at("/campaigns/{}/test", campaign_id), body, **more)["sent"]

    @operation("POST", "/campaigns/{campaign_id}/send")
    def send(self, campaign_id: int, **more: Unpack[Guarded]) -> Campaign:
        """Send it now. Raises Invalid with everything that keeps it from leaving."""
        return self._move(at("/campaigns/{}/send", campaign_id), more)

    @operation("POST", "/campaigns/{campaign_id}/schedule")
    def schedule(self, campaign_id: int, *, send_at: When, **more: Unpack[Guarded]) -> Campaign:
        return self._move(at("/campaigns/{}/schedule", campaign_id), more, {"send_at": send_at})

    @operation("POST", "/campaigns/{campaign_id}/unschedule")
    def unschedule(self, campaign_id: int, **more: Unpack[Guarded]) -> Campaign:
        return self._move(at("/campaigns/{}/unschedule", campaign_id), more)

    @operation("POST", "/campaigns/{campaign_id}/pause")
    def pause(self, campaign_id: int, **more: Unpack[Guarded]) -> Campaign:
        return self._move(at("/campaigns/{}/pause", campaign_id), more)

    @operation("POST", "/campaigns/{campaign_id}/resume")
    def resume(self, campaign_id: int, **more: Unpack[Guarded]) -> Campaign:
        return self._move(at("/campaigns/{}/resume", campaign_id), more)

    @operation("POST", "/campaigns/{campaign_id}/cancel")
    def cancel(self, campaign_id: int, **more: Unpack[Guarded]) -> Campaign:
        return self._move(at("/campaigns/{}/cancel", campaign_id), more)

    @operation("POST", "/campaigns/{campaign_id}/resend-uncertain")
    def resend_uncertain(self, campaign_id: int, **more: Unpack[Guarded]) -> int:
        """Send again what nobody knows the fate of; who has it already may get it twice."""
        where = at("/campaigns/{}/resend-uncertain", campaign_id)
        return self._calls.write(SentAgain, "POST", where, **more)["sent_again"]

    @operation("GET", "/campaigns/{campaign_id}/progress")
    def progress(self, campaign_id: int, **more: Unpack[Reading]) -> Progress:
        return self._calls.get(Progress, at("/campaigns/{}/progress", campaign_id), **more)

    @operation("GET", "/campaigns/{campaign_id}/history")
    def history(self, campaign_id: int, **more: Unpack[Reading]) -> list[Move]:
        """Its moves, the newest first."""
        return self._calls.get(list[Move], at("/campaigns/{}/history", campaign_id), **more)

    def wait(self, campaign_id: int, *, seconds_max: float = 3600.0) -> Progress:
        """Wait until it moves no more: it is sent, cancelled, paused or held. Raises StillRunning."""
        return wait_until(
            lambda: self.progress(campaign_id),
            lambda now: now["state"] not in MOVING,
            what=f"Campaign {campaign_id}",
            seconds_max=seconds_max,
            first_wait_seconds=1.0,
        )

    def _move(self, where: str, more: Guarded, body: dict[str, When] | None = None) -> Campaign:
        return self._calls.write_versioned(Campaign, "POST", where, body, **more)
