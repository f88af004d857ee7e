"""A stale plan empties a record (DynamoDB in us-east-1, 19 October 2025).

There, one of two workers that put DNS plans into effect was slow. It applied an old plan over a newer one; the other then
cleaned up what belonged to old plans, and the endpoint was left without any address, which no automation could mend.

Here: writer A takes plan 1 and stalls, writer B applies plan 2, A wakes up and applies plan 1, B cleans up plan 1's
addresses. The naive writers send plain updates. Ours carry generations, and refuse to take a name's last address.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update

from standfast.operations.failover import plan
from standfast.operations.failover.authority import Authority, Changed, EmptySet, Generation, Standing
from standfast.operations.failover.update import authorities
from standfast.operations.log import Log
from standfast.operations.map import Pool
from standfast.operations.replay.scenarios.providers import RECORD, STANDBY, ZONE, Providers, providers, until
from standfast.operations.replay.scoreboard import Figure, Scoreboard, duel

OLD, NEW = "127.0.1.9", STANDBY[0]
LOOK_SECONDS = 1.0


def replay(*, say: Callable[[str], None] = lambda _: None) -> Scoreboard:
    """Both variants, each on name servers of its own."""
    with tempfile.TemporaryDirectory(prefix="standfast-replay-") as made:
        say("plain updates: the late writer wins, and the clean-up takes what it wrote")
        with providers(Path(made) / "naive") as both:
            naive = _figures(both, applied=_naive(both))
        say("fenced updates: the late writer changes nothing, and nothing takes the last address")
        with providers(Path(made) / "ours") as both:
            log = Log(Path(made) / "log.sqlite")
            ours = _figures(both, applied=asyncio.run(_ours(both, log)))
            log.close()
    return duel("stale-plan", "A stale plan empties a record", naive=naive, ours=ours)


def _naive(both: Providers) -> int:
    """Returns at how many providers the old plan went through."""
    applied = 0
    for server in both.servers:

        def send(message: dns.update.UpdateMessage, address: str = server.address, port: int = server.port) -> int:
            return int(dns.query.tcp(message, address, port=port, timeout=5).rcode())

        newer = _message(both)
        newer.replace(RECORD, 5, "A", NEW)  # B applies plan 2
        send(newer)
        late = _message(both)
        late.replace(RECORD, 5, "A", OLD)  # A wakes up and applies plan 1
        applied += send(late) == 0
        clean = _message(both)
        clean.delete(RECORD, "A", OLD)  # B removes what belongs to plans before 2
        send(clean)
    return applied


def _message(both: Providers) -> dns.update.UpdateMessage:
    keyring = dns.tsigkeyring.from_text({both.key.name: both.key.secret})
    return dns.update.UpdateMessage(ZONE, keyring=keyring, keyalgorithm="hmac-sha256")


async def _ours(both: Providers, log: Log) -> int:
    pool = both.map.pools[0]
    writers = authorities(both.map)
    read_by_a = [await writer.read(pool) for writer in writers]  # A takes its plan and stalls
    await both.controller(log).move("www", "standby", why="the primary is down", by="quorum")  # B
    applied = 0
    for writer, seen in zip(writers, read_by_a, strict=True):
        if isinstance(seen, Standing):
            late = await writer.replace(pool, (OLD,), generation=Generation(1, "stale"), seen=seen)
            applied += isinstance(late, Changed)
        listing = await writer.names()
        try:  # the clean-up of everything but the newest plan has to pass the guard like any change
            plan.judge(ZONE, listing if isinstance(listing, dict) else {}, [plan.Change(RECORD, "A", ())])
            await writer.replace(pool, (), generation=Generation(2, "clean-up"), seen=await _standing(writer, pool))
        except EmptySet:
            continue
    return applied


async def _standing(writer: Authority, pool: Pool) -> Standing:
    found = await writer.read(pool)
    assert isinstance(found, Standing)
    return found


def _figures(both: Providers, *, applied: int) -> list[Figure]:
    looked = [answer for _ in until(LOOK_SECONDS) for answer in both.answers()]
    empty = sum(not answer for answer in looked)
    right = sum(answer == (NEW,) for answer in both.answers())
    return [
        Figure("applied", "Providers that took the old plan", applied, "", 0),
        Figure("empty", f"Empty answers, of {len(looked)}", empty, "", 0),
        Figure("wrong", "Providers without the newest plan at the end", len(both.servers) - right, "", 0),
    ]
