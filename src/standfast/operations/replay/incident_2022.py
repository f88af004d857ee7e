"""30 September 2022 again: the hosting provider changes its configuration unannounced, and the root domain is gone.

The fault, all at one moment: the provider's name server answers every name of the domain with its parking address and
drops the mail record, and all edges of the five clusters behind it hang. Later the provider takes it back.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.rcode
import dns.tsigkeyring
import dns.update

from standfast.operations.incidents.entries import Kind, Stage
from standfast.operations.incidents.state import OPEN
from standfast.operations.log import Entry, Log
from standfast.operations.replay.clicking import Clicker
from standfast.operations.replay.name_servers import ServerFailed
from standfast.operations.replay.readers import PageReader, Told
from standfast.operations.replay.scoreboard import Figure, Scoreboard
from standfast.operations.replay.stage import CLUSTERS, COMPONENTS, PARKING, ROOT, TTL, pools, stage
from standfast.operations.replay.stage import Stage as Setting

QUIET_SECONDS = 300.0
WARM_UP_SECONDS = 8.0  # every vantage has looked several times, the resolver knows every name
BACK_SECONDS = 60.0  # the provider takes its change back after so long
PATIENCE_SECONDS = 150.0
POLL_SECONDS = 0.1

Say = Callable[[str], None]


def replay(
    *,
    quiet_seconds: float = QUIET_SECONDS,
    ttl: int = TTL,
    say: Say = lambda _: None,
    folder: Path | None = None,
    installation: Path | None = None,
) -> Scoreboard:
    """Run it and return the scoreboard. installation: see `stage`. Raises ToolMissing, ServerFailed."""
    if folder is not None:
        return asyncio.run(_play(folder, quiet_seconds, ttl, say, installation))
    with tempfile.TemporaryDirectory(prefix="standfast-replay-", ignore_cleanup_errors=True) as made:
        return asyncio.run(_play(Path(made), quiet_seconds, ttl, say, installation))


async def _play(folder: Path, quiet_seconds: float, ttl: int, say: Say, installation: Path | None) -> Scoreboard:
    say(
        "starting two name servers, a resolver, a database with REST service and SMTP API, two sites with trackers,"
        " five vantages, controller, two page servers"
    )
    with stage(folder, quiet_seconds=quiet_seconds, ttl=ttl, installation=installation) as setting:
        say(f"the page: http://127.0.0.1:{setting.page_ports[0]}/ (all files in {folder})")
        log = Log(setting.log_file)
        run = Run(setting, log, Clicker.of(setting), PageReader(setting.page_ports), Told(), quiet_seconds, say)
        clicking = asyncio.create_task(run.clicker.run())
        reading = None
        try:
            await run.told.subscribe(log)
            await run.come_to_rest()
            say("all is well; now the provider changes its configuration without a word")
            reading = asyncio.create_task(run.pages.run())
            run.fault_at = time.time()
            await _change(setting)
            await run.watch()
            run.clicker.stop()
            await clicking
            await run.told.settle(log)
            return run.scoreboard()
        finally:
            await run.told.close()
            log.close()
            for task in (clicking, reading):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)


@dataclass
class Run:
    """One run: what is on the stage, and when the fault came."""

    setting: Setting
    log: Log
    clicker: Clicker
    pages: PageReader
    told: Told
    quiet_seconds: float
    say: Say
    fault_at: float = 0.0

    async def come_to_rest(self) -> None:
        """Until all names are clicked through and nothing is down. Raises ServerFailed."""
        begun = time.monotonic()
        while time.monotonic() < begun + PATIENCE_SECONDS:
            ended = self.setting.children.ended()
            if ended:
                raise ServerFailed("; ".join(ended))
            recent = self.clicker.tries[-2 * len(self.clicker.names) :]
            full = len(recent) == 2 * len(self.clicker.names)
            if time.monotonic() - begun > WARM_UP_SECONDS and full and all(one.good for one in recent):
                down = {entry.data["check"] for entry in self.log.after(kind=Kind.CHECK_DOWN)}
                up = {entry.data["check"] for entry in self.log.after(kind=Kind.CHECK_UP)}
                if down <= up:
                    return
            await asyncio.sleep(POLL_SECONDS)
        raise ServerFailed("the stage did not come to rest: clicks or checks kept failing before the fault")

    async def watch(self) -> None:
        """Say what the log says as it comes; take the change back; return with the draft or when patience ends."""
        position, taken_back = 0, False
        deadline = self.fault_at + BACK_SECONDS + self.quiet_seconds + PATIENCE_SECONDS
        while time.time() < deadline:
            for entry in self.log.after(position):
                position = entry.position
                after = entry.at.timestamp() - self.fault_at
                if after >= 0 and (line := _line(entry)):
                    self.say(f"+{after:6.1f} s  {line}")
                if entry.kind == Kind.POSTMORTEM_DRAFTED:
                    return
            if not taken_back and time.time() >= self.fault_at + BACK_SECONDS:
                taken_back = True
                self.say(f"+{time.time() - self.fault_at:6.1f} s  (the provider takes its change back)")
                await _take_back(self.setting)
            await asyncio.sleep(POLL_SECONDS)

    # -- the scoreboard ---------------------------------------------------------------------------------------------

    def at(self, kind: str, **wanted: Any) -> float | None:
        """When the first such entry after the fault was written."""
        for entry in self.log.after(kind=kind):
            if entry.at.timestamp() >= self.fault_at and all(entry.data.get(key) == one for key, one in wanted.items()):
                return entry.at.timestamp()
        return None

    def moved_at(self) -> float | None:
        """When the last provider had confirmed the last pool."""
        changed = {
            (entry.data["failover"], entry.data["provider"]): entry.at.timestamp()
            for entry in self.log.after(kind=Kind.FAILOVER_PROVIDER)
            if entry.data["outcome"] == "changed"
        }
        return max(changed.values()) if len(changed) == 2 * len(pools()) else None

    def unnamed(self) -> int:
        """The root domain is gone, so everything is hit: squares that no post of the outage named."""
        named = {
            (component, cluster)
            for entry in self.log.after(kind=Kind.POST)
            if entry.data["status"] in OPEN
            for component, cluster, _ in entry.data["squares"]
        }
        return len({(component, cluster) for component, _, _ in COMPONENTS for cluster in CLUSTERS} - named)

    def scoreboard(self) -> Scoreboard:
        fault, clicker, pages = self.fault_at, self.clicker, self.pages
        outage = clicker.outage_seconds(fault)
        served = None if outage is None else fault + outage
        monitoring = self.at(Kind.POST, status=Stage.MONITORING)
        resolved = self.at(Kind.POST, status=Stage.RESOLVED)
        drafted = self.at(Kind.POSTMORTEM_DRAFTED)
        found = self.at(Kind.DRIFT_FOUND, change=None, provider="north")
        unserved = clicker.made - len(clicker.answered)
        lost = len(clicker.lost(self.setting.spools))
        figures = (
            _span(
                "detected", "Detected by a quorum", fault, self.at(Kind.INCIDENT_OPENED), 10, "0 (its clock began here)"
            ),
            _span("public", "First post, on both page servers", fault, pages.seen_by_all(), 15, "5 min"),
            Figure("unnamed", "Squares of the matrix hit and not named", self.unnamed(), "", 0, "0 of 60"),
            _span("told", "A subscriber told", fault, self.told.first_at, 30, "not told"),
            Figure("twice", "Updates it missed or got twice", self.told.wrong(self.log), "", 0, "not told"),
            _span("drift", "Provider's change named, unannounced", fault, found, 30, "published after 4 days"),
            _span("moved", "Traffic moved at both providers", fault, self.moved_at(), 12, "never"),
            _span("outage", "Clients served again", fault, served, 45, "30 to 60 min"),
            Figure("lost", "Clicks acknowledged and lost", lost, "", 0, "not told"),
            Figure("unserved", "Clicks never answered", unserved, "", 0, "not told"),
            _span("monitoring", "Monitoring", fault, monitoring, 90, "78 min"),
            _span("settled", "Monitoring, after clients were served", served, monitoring, 25, "18 min"),
            _span("resolved", "Resolved", fault, resolved, 105 + self.quiet_seconds, "3 h 25 min"),
            _span("draft", "Postmortem, after Resolved", resolved, drafted, 10, "4 days, no figures"),
            Figure("unread", f"Page requests unanswered, of {pages.asked:,}", pages.unanswered, "", 0, "not told"),
        )
        return Scoreboard("2022-09-30", "30 September 2022, replayed", "in 2022", figures, self._notes())

    def _notes(self) -> tuple[str, ...]:
        clicker, ttl = self.clicker, self.setting.ttl
        notes = [
            "Counted from the fault, in 2022 from its detection.",
            "Real: tracker, REST service, SMTP API and their database, name servers; the other components' servers are stand-ins.",
            f"{clicker.made:,} clicks in {len(clicker.tries):,} tries, behind a resolver, records with TTL {ttl} s.",
        ]
        if self.quiet_seconds != QUIET_SECONDS:
            notes.append(f"The quiet period before Resolved was shortened from 5 min to {self.quiet_seconds:g} s.")
        if ttl != TTL:
            notes.append(f"The TTL was shortened from {TTL} s to {ttl} s.")
        return tuple(notes)


def _span(  # noqa: PLR0917 - a row of the table
    name: str, what: str, begin: float | None, end: float | None, limit: float, before: str
) -> Figure:
    value = None if begin is None or end is None else round(max(end - begin, 0.0), 2)
    return Figure(name, what, value, "s", limit, before)


async def _change(setting: Setting) -> None:
    """What the provider does, in one go: its name server's answers, and its network."""
    setting.children.freeze("primary-edges")
    message = _provider_update(setting)
    for record, _, _ in pools().values():
        message.replace(record, setting.ttl, "A", PARKING)
    message.delete(ROOT, "MX")
    await _sent(setting, message)


async def _take_back(setting: Setting) -> None:
    """The provider restores what it broke, as far as our failover has not replaced it."""
    setting.children.thaw("primary-edges")
    message = _provider_update(setting)
    message.replace(ROOT, setting.ttl, "MX", f"10 mail.{ROOT}")
    await _sent(setting, message)


def _provider_update(setting: Setting) -> dns.update.UpdateMessage:
    key = setting.provider_key
    return dns.update.UpdateMessage(
        ROOT, keyring=dns.tsigkeyring.from_text({key.name: key.secret}), keyalgorithm="hmac-sha256"
    )


async def _sent(setting: Setting, message: dns.update.UpdateMessage) -> None:
    answer = await dns.asyncquery.tcp(message, setting.north.address, port=setting.north.port, timeout=5)
    if answer.rcode() != dns.rcode.NOERROR:
        raise ServerFailed(f"the provider's own change was answered {dns.rcode.to_text(answer.rcode())}")


def _line(entry: Entry) -> str:
    """One entry as a line for the person who watches the replay; empty for those that need none."""
    data: Any = entry.data
    match entry.kind:
        case Kind.INCIDENT_OPENED:
            return f"incident opened: {data['title']}"
        case Kind.DRIFT_FOUND:
            return f"drift at {data['provider']}: {data['subject']} {data['what']}, {_whose(data['change'])}"
        case Kind.FAILOVER_DONE:
            pool, changed = data["failover"].rsplit("-", 2)[0], ", ".join(data["changed"])
            return f"moved {pool}: {changed} changed" if changed else f"{pool} not moved yet; it is tried again"
        case Kind.POST:
            return f"posted: {str(data['status']).capitalize()}"
        case Kind.POSTMORTEM_DRAFTED:
            return "postmortem drafted"
    return ""


def _whose(change: str | None) -> str:
    return f"our change {change}" if change else "unannounced"
