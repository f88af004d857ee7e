"""What a person can order, from the desk or the command line: each order is one entry of the log, checked before it is written.

Works while the controller is down: the controller reads the log when it comes back, and carries out what waits.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from standfast.operations.clock import Clock
from standfast.operations.incidents import postmortem, wording
from standfast.operations.incidents.entries import LEGAL, Kind, Stage
from standfast.operations.incidents.records import Incident, Post
from standfast.operations.incidents.state import AUTOMATIC, State, listed
from standfast.operations.log import Log
from standfast.operations.map import Map, Square
from standfast.operations.status import Status

BODY_MAX = 20_000
TITLE_MAX = 255  # Statuspage's limit on an incident's name
UPDATE_MINUTES_MAX = 24 * 60


class OrderError(Exception):
    """The order was not taken; the text says why and what would be."""


class Orders:
    """All that persons write. Every function raises OrderError, and LogError where the log cannot be written."""

    def __init__(self, the_map: Map, log: Log, clock: Clock) -> None:
        self.map, self.log, self.clock = the_map, log, clock
        self.state = State(the_map, log.after())

    def sync(self) -> State:
        """The state with everything that was written meanwhile."""
        for entry in self.log.after(self.state.position):
            self.state.apply(entry)
        return self.state

    def open_incident(
        self,
        *,
        title: str,
        body: str,
        squares: Mapping[Square, Status],
        by: str,
        stage: Stage = Stage.INVESTIGATING,
        next_update_minutes: int | None = None,
        notify: bool = True,
    ) -> str:
        """A person's own incident with its first post; returns its id."""
        title = _text(title, "title", TITLE_MAX)
        self._known(squares)
        if not squares:
            raise OrderError("Say what is affected: choose at least one component in one cluster.")
        with self.log.transaction():
            state, now = self.sync(), self.clock.now()
            number = 1 + sum(one.startswith(f"{now:%Y-%m-%d}") for one in state.incidents)
            incident = f"{now:%Y-%m-%d}-{number}"
            data = {"incident": incident, "title": title, "checks": [], "squares": listed(squares)}
            self._write(Kind.INCIDENT_OPENED, {**data, "impact": state.impact(squares)}, now)
            self.post(
                incident,
                stage=stage,
                body=body,
                squares=squares,
                by=by,
                next_update_minutes=next_update_minutes,
                notify=notify,
            )
        return incident

    def post(
        self,
        incident_id: str,
        *,
        stage: Stage,
        body: str,
        by: str,
        squares: Mapping[Square, Status] | None = None,
        next_update_minutes: int | None = None,
        notify: bool = True,
    ) -> str:
        """An update; the stage must be legal after the last. Returns the update's id.

        squares is what is affected from now on (None: as it stands). The next update is promised for the map's time
        unless another is given; a resolved incident promises none.
        """
        body = _text(body, "text", BODY_MAX)
        with self.log.transaction():
            incident, now = self._incident(incident_id), self.clock.now()
            if incident.vetoed:
                raise OrderError("This incident was vetoed: open another one instead.")
            if stage not in LEGAL[incident.stage]:
                legal = wording.enumerated([one.value for one in Stage if one in LEGAL[incident.stage]])
                raise OrderError(f"After “{incident.status.value}” an update can be {legal}, not {stage.value}.")
            if stage in (Stage.RESOLVED, Stage.MONITORING) and self.state.checks_of(incident):
                down = wording.enumerated(self.state.checks_of(incident)[:3])
                raise OrderError(f"Checks are still down ({down}): the page must not say otherwise.")
            over = stage in (Stage.MONITORING, Stage.RESOLVED, Stage.POSTMORTEM)
            chosen = (
                squares
                if squares is not None
                else dict.fromkeys(incident.squares, Status.OPERATIONAL)
                if over
                else incident.squares
            )
            self._known(chosen)
            until = None if stage in (Stage.RESOLVED, Stage.POSTMORTEM) else self._until(now, next_update_minutes)
            number = len(incident.posts) + 1
            data = {
                "incident": incident.id,
                "update": f"{incident.id}-{number}",
                "status": stage,
                "body": body,
                "squares": listed(chosen),
                "author": _text(by, "author", 100),
                "next_update_at": until.isoformat() if until else None,
                "notify": notify,
                "about": [],
            }
            self._write(Kind.POST, data, now, key=f"post:{incident.id}:{number}")
        return str(data["update"])

    def edit(self, update: str, *, body: str, by: str) -> None:
        """Another text for a post; nobody is notified again."""
        body = _text(body, "text", BODY_MAX)
        with self.log.transaction():
            self._post_of(update)
            self._write(Kind.POST_EDITED, {"update": update, "body": body, "author": by}, self.clock.now())

    def veto(self, update: str, *, why: str, by: str) -> None:
        """Take an automatic incident off the page: it was a false alarm, or none of the public's."""
        with self.log.transaction():
            incident, post = self._post_of(update)
            if post.author != AUTOMATIC:
                raise OrderError("Only an automatic post can be vetoed. Edit this one, or resolve the incident.")
            if incident.over:
                raise OrderError("This incident is over already.")
            data = {"update": update, "author": by, "why": _text(why, "reason", 1000)}
            self._write(Kind.POST_VETOED, data, self.clock.now())

    def schedule_maintenance(
        self, *, title: str, body: str, squares: Iterable[Square], starts_at: datetime, ends_at: datetime, by: str
    ) -> str:
        """Maintenance that begins and ends by itself; returns its id."""
        chosen = dict.fromkeys(squares, Status.UNDER_MAINTENANCE)
        self._known(chosen)
        self._window(starts_at, ends_at)
        if not chosen:
            raise OrderError("Say what is affected: choose at least one component in one cluster.")
        maintenance = f"m-{secrets.token_hex(4)}"
        data = {
            "maintenance": maintenance,
            "title": _text(title, "title", TITLE_MAX),
            "body": _text(body, "text", BODY_MAX),
            "squares": [list(square) for square in chosen],
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "author": by,
        }
        with self.log.transaction():
            self.sync()
            self._write(Kind.MAINTENANCE_SCHEDULED, data, self.clock.now())
        return maintenance

    def change_maintenance(self, maintenance: str, *, by: str, **changed: Any) -> None:
        """Other title, body, squares, starts_at or ends_at of a maintenance that has not ended."""
        with self.log.transaction():
            one = self._maintenance(maintenance)
            self._window(
                changed.get("starts_at", one.starts_at), changed.get("ends_at", one.ends_at), begun=one.started_at
            )
            data: dict[str, Any] = {"maintenance": maintenance, "author": by}
            for key, value in changed.items():
                if key not in ("title", "body", "squares", "starts_at", "ends_at"):
                    raise OrderError(f"A maintenance has no {key}.")
                data[key] = value.isoformat() if isinstance(value, datetime) else value
                if key == "squares":
                    self._known(dict.fromkeys(value, Status.UNDER_MAINTENANCE))
                    data[key] = [list(square) for square in value]
            self._write(Kind.MAINTENANCE_CHANGED, data, self.clock.now())

    def cancel_maintenance(self, maintenance: str, *, by: str) -> None:
        with self.log.transaction():
            one = self._maintenance(maintenance)
            kind = Kind.MAINTENANCE_ENDED if one.state == "in_progress" else Kind.MAINTENANCE_CANCELLED
            self._write(kind, {"maintenance": maintenance, "author": by}, self.clock.now())

    def announce_change(self, *, summary: str, provider: str | None, by: str) -> str:
        """Say beforehand what we are about to change, so that it is not taken for a change of the provider's."""
        if provider is not None and provider not in {one.id for one in self.map.providers}:
            raise OrderError(f"There is no provider {provider!r} in the map.")
        change = f"c-{secrets.token_hex(4)}"
        data = {"change": change, "summary": _text(summary, "summary", 1000), "provider": provider, "by": by}
        with self.log.transaction():
            self.sync()
            self._write(Kind.CHANGE_ANNOUNCED, data, self.clock.now(), key=f"change:{change}")
        return change

    def order_failover(self, *, pool: str, target: str, why: str, by: str, approved: bool = False) -> None:
        """Have traffic moved, or moved back; `approved` lets it touch more of a zone than the guard allows by itself."""
        if pool not in {one.id for one in self.map.pools}:
            raise OrderError(f"There is no pool {pool!r} in the map.")
        if target not in ("primary", "standby"):
            raise OrderError("Traffic can be moved to “primary” or “standby”.")
        with self.log.transaction():
            state = self.sync()
            if state.targets.get(pool) == target and pool not in state.orders:
                raise OrderError(f"{pool} stands at its {target} addresses already.")
            data = {"pool": pool, "target": target, "why": _text(why, "reason", 1000), "by": by, "approved": approved}
            self._write(Kind.FAILOVER_ORDERED, data, self.clock.now())

    def edit_postmortem(self, incident_id: str, *, text: str, by: str) -> None:
        """A person's text over the draft; the draft stays and can be made again."""
        with self.log.transaction():
            incident = self._incident(incident_id)
            data = {"incident": incident.id, "text": _text(text, "text", 10 * BODY_MAX), "author": by}
            self._write(Kind.POSTMORTEM_EDITED, data, self.clock.now())

    def redraft_postmortem(self, incident_id: str) -> str:
        """The draft made again from the log as it is now; what a person wrote is untouched."""
        with self.log.transaction():
            incident = self._incident(incident_id)
            upto = self.state.position
            text = postmortem.draft(self.map, self.log.after(), incident.id, upto=upto)
            data = {"incident": incident.id, "draft": text, "upto": upto}
            self._write(Kind.POSTMORTEM_DRAFTED, data, self.clock.now())
        return text

    def publish_postmortem(self, incident_id: str, *, by: str, notify: bool = True) -> str:
        """Put the postmortem on the page, with a post that says so. Returns the update's id."""
        with self.log.transaction():
            incident = self._incident(incident_id)
            if incident.postmortem is None:
                raise OrderError("There is no postmortem yet: it is drafted when the incident is resolved.")
            if incident.stage not in (Stage.RESOLVED, Stage.POSTMORTEM):
                raise OrderError("A postmortem is published after the incident is resolved.")
            self._write(Kind.POSTMORTEM_PUBLISHED, {"incident": incident.id, "author": by}, self.clock.now())
            return self.post(
                incident_id,
                stage=Stage.POSTMORTEM,
                body="The postmortem of this incident is published below.",
                by=by,
                notify=notify,
            )

    # -- checks -------------------------------------------------------------------------------------------------

    def _incident(self, incident_id: str) -> Incident:
        incident = self.sync().incidents.get(incident_id)
        if incident is None:
            raise OrderError(f"There is no incident {incident_id!r}.")
        return incident

    def _post_of(self, update: str) -> tuple[Incident, Post]:
        incident = self.sync().incident_of(update)
        for post in incident.posts if incident else ():
            if incident is not None and post.update == update:
                return incident, post
        raise OrderError(f"There is no update {update!r}.")

    def _maintenance(self, maintenance: str) -> Any:
        one = self.sync().maintenances.get(maintenance)
        if one is None:
            raise OrderError(f"There is no maintenance {maintenance!r}.")
        if one.state in ("completed", "cancelled"):
            raise OrderError(f"This maintenance is {one.state}.")
        return one

    def _known(self, squares: Mapping[Square, Status]) -> None:
        unknown = [square for square in squares if square not in self.map.squares]
        if unknown:
            raise OrderError(f"The map has no {unknown[0].component} in {unknown[0].cluster}.")

    def _window(self, starts_at: datetime, ends_at: datetime, *, begun: datetime | None = None) -> None:
        if starts_at.tzinfo is None or ends_at.tzinfo is None:
            raise OrderError("Times need a time zone.")
        if ends_at <= starts_at:
            raise OrderError("It has to end after it begins.")
        if ends_at <= self.clock.now() and begun is None:
            raise OrderError("It would be over already.")

    def _until(self, now: datetime, minutes: int | None) -> datetime:
        if minutes is None:
            return now + timedelta(seconds=self.map.rules.update_seconds)
        if not 1 <= minutes <= UPDATE_MINUTES_MAX:
            raise OrderError(f"The next update can be promised for 1 to {UPDATE_MINUTES_MAX} minutes from now.")
        return now + timedelta(minutes=minutes)

    def _write(self, kind: Kind, data: Mapping[str, Any], at: datetime, *, key: str | None = None) -> None:
        entry = self.log.append(kind, data, at=at, key=key)
        if entry.position > self.state.position:
            self.state.apply(entry)


def _text(value: str, what: str, most: int) -> str:
    # A terminal of another encoding hands over lone surrogates, which cannot be stored.
    value = value.replace("\x00", "").encode(errors="replace").decode().strip()
    if not value:
        raise OrderError(f"The {what} is empty.")
    if len(value) > most:
        raise OrderError(f"The {what} is longer than {most:,} characters.")
    return value
