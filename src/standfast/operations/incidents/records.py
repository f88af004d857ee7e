"""What the fold of the log holds: incidents with their posts, maintenance, drift, failovers, intervals of the matrix.

`steady` times are wall seconds with the jumps of the wall clock taken out again: ages and deadlines are judged by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standfast.operations.incidents.entries import Impact, Stage
from standfast.operations.map import Square
from standfast.operations.status import Status


@dataclass(slots=True)
class Interval:
    """A square had a status from `since` until `until` (None: still)."""

    square: Square
    status: Status
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Post:
    update: str
    status: Stage
    body: str
    at: datetime
    author: str
    squares: dict[Square, Status]
    position: int
    next_update_at: datetime | None = None
    notify: bool = True
    about: tuple[str, ...] = ()  # "drift:<id>", "failover:<id>": what of the evidence the post tells
    steady: float = 0.0
    edited_at: datetime | None = None


@dataclass(slots=True)
class Incident:
    id: str
    title: str
    opened_at: datetime
    impact: Impact = Impact.MINOR
    stage: Stage | None = None  # None until the first post
    checks: list[str] = field(default_factory=list)
    squares: dict[Square, Status] = field(default_factory=dict)  # all that was hit, at its worst
    by_hand: dict[Square, Status] = field(default_factory=dict)  # what a person's last post set
    posts: list[Post] = field(default_factory=list)
    reopened: list[datetime] = field(default_factory=list)
    flapping: bool = False
    vetoed: bool = False
    recovered_at: datetime | None = None
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    next_update_at: datetime | None = None
    steady: dict[str, float] = field(default_factory=dict)  # of opened, grew, up, reopened, monitoring, resolved
    drifts: list[str] = field(default_factory=list)
    failovers: list[str] = field(default_factory=list)
    counted: list[Mapping[str, Any]] = field(default_factory=list)
    draft: str | None = None
    draft_upto: int = 0
    edited: str | None = None  # a person's text, over the draft
    postmortem_published_at: datetime | None = None

    @property
    def status(self) -> Stage:
        """The stage in Statuspage's words; investigating before the first post."""
        return self.stage or Stage.INVESTIGATING

    @property
    def reopenings(self) -> int:
        return len(self.reopened)

    @property
    def postmortem(self) -> str | None:
        """The person's text where there is one, else the draft."""
        return self.edited if self.edited is not None else self.draft

    @property
    def over(self) -> bool:
        return self.vetoed or self.stage in (Stage.RESOLVED, Stage.POSTMORTEM)

    @property
    def told(self) -> frozenset[str]:
        """What the posts so far tell of the evidence."""
        return frozenset(about for post in self.posts for about in post.about)

    @property
    def public(self) -> bool:
        return bool(self.posts) and not self.vetoed


@dataclass(slots=True)
class Maintenance:
    id: str
    title: str
    body: str
    squares: list[Square]
    starts_at: datetime
    ends_at: datetime
    author: str
    created_at: datetime
    updated_at: datetime
    state: str = "scheduled"  # in_progress, completed, cancelled
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Drift:
    id: str
    provider: str
    subject: str
    what: str
    before: list[str]
    after: list[str]
    change: str | None  # the change of ours that explains it; None = unannounced
    found_at: datetime
    position: int
    gone_at: datetime | None = None


@dataclass(slots=True)
class Failover:
    id: str
    pool: str
    target: str
    addresses: list[str]
    generation: int
    why: str
    by: str
    at: datetime
    position: int
    providers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    done_at: datetime | None = None
    behind: list[str] = field(default_factory=list)  # when it was done: see `left`

    @property
    def moved(self) -> bool:
        """Whether any provider has confirmed it: until then nothing was moved."""
        return any(one["outcome"] == "changed" for one in self.providers.values())

    @property
    def left(self) -> list[str]:
        """The providers that have it not yet."""
        return [name for name in self.behind if self.providers.get(name, {}).get("outcome") != "changed"]
