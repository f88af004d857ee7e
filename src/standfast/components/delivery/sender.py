"""The send path of a worker: lease, render, sign, deliver, ledger.

Some slots run side by side in one event loop, so that one sends while another waits for the database; a lease belongs to one
slot, and so do its connections. Database calls run in threads; rendering and SMTP in the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg_pool import ConnectionPool

from standfast.components.delivery import leases, ledger
from standfast.components.delivery.composers import Composers, SendGone
from standfast.components.delivery.connecting import connect_way
from standfast.components.delivery.domains import signers_for
from standfast.components.delivery.journal import JournalDirectory, LeaseJournal, Noted
from standfast.components.delivery.ledger import Backoff
from standfast.components.delivery.message import Composer, Draft, Outgoing
from standfast.components.delivery.models import RecipientStatus
from standfast.components.delivery.recovery import recover
from standfast.components.delivery.routes import Way, backoff_of, way_of
from standfast.components.delivery.stream_composer import StreamComposer, StreamDraft
from standfast.platform import tenancy
from standfast.protocols.liquid import ContentError
from standfast.protocols.mime import HeaderError
from standfast.protocols.smtp_client import (
    Accepted,
    Connection,
    Deferred,
    Outcome,
    Refused,
    SmtpConnectError,
    Timeouts,
    Uncertain,
)

log = structlog.get_logger()
T = TypeVar("T")

MARK_MESSAGES = 200
"""How far the journal's flushed mark runs ahead: after a power cut at most this many messages of a lease are uncertain."""
COMPOSED_AT_ONCE = 64
"""Messages drafted, then signed, one after the other: code and data stay in the processor's caches (a tenth of the
whole). Their connections wait for it some 20 ms."""
PIPELINE_MESSAGES = 3
"""Per connection: one past its dot, one on its way, and the next, whose commands leave with the dot before it."""
FLUSH_SECONDS = 1.0
CONTROL_SECONDS = 0.25
IDLE_SECONDS = 0.3
RECOVER_SECONDS = 5.0
SLOTS = 3
TIMEOUTS = Timeouts(greeting_seconds=60, command_seconds=120, dot_seconds=300)


@dataclass
class Work:
    """A lease being worked on."""

    lease: leases.Lease
    rows: list[Any]
    composer: Composer | StreamComposer
    way: Way
    backoff: Backoff
    journal: LeaseJournal
    next_index: int = 0
    ready: deque[Outgoing | Noted] = field(default_factory=deque)  # of the rows from next_index on
    marked: int = 0
    stop: str = ""
    noted: list[Noted] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)
    extended_at: float = field(default_factory=time.monotonic)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    marking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sender:
    """One worker process's sending. `run` until `stop` is set; whatever it holds then is finished or given back."""

    def __init__(self, *, pool: ConnectionPool, journals: Path, key: bytes, ehlo_name: str) -> None:
        self.pool, self.journals, self.ehlo_name = pool, journals, ehlo_name
        self.node = leases.node_name()
        self.directory = JournalDirectory(journals)
        self.composers = Composers(key)
        self.threads = ThreadPoolExecutor(max_workers=SLOTS * 2 + 1, thread_name_prefix="database")
        self.stop = asyncio.Event()
        self.sent = 0
        self.connections: dict[Way, list[Connection]] = {}
        self._trying: set[int] = set()
        self._holding_off: dict[int, tuple[float, float]] = {}  # account -> (until, seconds): its route does not answer

    # Threads

    async def database(self, call: Callable[[psycopg.Connection], T]) -> T:
        """Run a call with a database connection in a thread."""

        def with_connection() -> T:
            with self.pool.connection(timeout=5) as connection:
                return call(connection)

        return await asyncio.get_running_loop().run_in_executor(self.threads, with_connection)

    async def database_until_done(self, call: Callable[[psycopg.Connection], T]) -> T:
        """The same for what must not be given up: the outcomes wait in the journal while the database is away."""
        wait = 0.1
        while True:
            try:
                return await self.database(call)
            except psycopg.OperationalError as error:
                log.warning("database does not answer; outcomes wait in the journal", error=str(error).strip())
                await asyncio.sleep(wait)
                wait = min(wait * 2, 3.0)

    # Loops

    async def run(self) -> None:
        """Send until `stop` is set."""
        tasks = [asyncio.create_task(self._slot(index)) for index in range(SLOTS)]
        tasks.append(asyncio.create_task(self._recover_loop()))
        try:
            await asyncio.gather(*tasks)
        finally:
            for connections in self.connections.values():
                for connection in connections:
                    connection.abort("worker ends")
            self.directory.close()
            self.threads.shutdown(wait=False)

    async def _slot(self, index: int) -> None:
        while not self.stop.is_set():
            try:
                worked = await self._one_lease(index)
            except psycopg.OperationalError as error:
                log.warning("database does not answer", error=str(error).strip())
                worked = False
            except Exception:
                log.exception("a lease failed; the worker goes on")
                worked = False
            if not worked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), IDLE_SECONDS)

    async def _recover_loop(self) -> None:
        while not self.stop.is_set():
            try:
                await self.database(lambda c: recover(c, journals=self.journals, node=self.node))
            except psycopg.OperationalError as error:
                log.warning("recovery waits for the database", error=str(error).strip())
            except Exception:
                log.exception("a recovery failed; it is tried again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), RECOVER_SECONDS)

    # One lease

    async def _one_lease(self, index: int) -> bool:
        # Each slot starts elsewhere in the list of what is no stream.
        found = await self.database(lambda c: leases.sends_with_work(c, start=index))
        now = time.monotonic()
        found = [pair for pair in found if self._holding_off.get(pair[0], (0, 0))[0] <= now]
        for account_id, send_id in found:
            if account_id in self._trying:
                continue
            # A route that failed gets one slot until it answers again: one that keeps silent would take them all.
            if account_id in self._holding_off:
                self._trying.add(account_id)
            try:
                work = await self._take(account_id, send_id)
                if work is not None:
                    await self._deliver(work)
                    return True
            finally:
                self._trying.discard(account_id)
        return False

    async def _take(self, account_id: int, send_id: int) -> Work | None:
        try:
            size = await self.database(lambda c: self.composers.prepare(c, account_id, send_id))
            lease = await self.database(
                lambda c: leases.take(
                    c, account_id=account_id, send_id=send_id, node=self.node, journal=self.directory.name, size=size
                )
            )
        except SendGone as gone:
            log.warning("send cannot start", account=account_id, send=send_id, problem=str(gone))
            return None
        if lease is None:
            return None

        def read(connection: psycopg.Connection) -> tuple[list[Any], Way, Backoff]:
            rows = leases.recipients(connection, lease)
            composer = self.composers.get(send_id)
            with connection.transaction():
                tenancy.enter(connection, account_id)
                if isinstance(composer, StreamComposer):
                    composer.load(
                        connection,
                        [row.seq for row in rows],
                        lambda email: signers_for(connection, account_id=account_id, from_email=email),
                    )
                return (
                    rows,
                    way_of(connection, account_id=account_id),
                    backoff_of(connection, account_id=account_id, send_id=send_id),
                )

        try:
            rows, way, backoff = await self.database_until_done(read)
            journal = self.directory.open_lease(lease.id)
            return Work(lease, rows, self.composers.get(send_id), way, backoff, journal)
        except Exception as error:
            # A full disk, a password that cannot be unsealed: nothing was sent, and a lease left here would be held for
            # as long as this worker lives.
            self._hold_off(account_id)
            await self.database_until_done(lambda c: leases.abandon(c, lease))
            if isinstance(error, OSError):
                await self._tell_journal(lease, error)
                return None
            raise

    async def _deliver(self, work: Work) -> None:
        watcher = asyncio.create_task(self._watch(work))
        wanted = max(1, min(work.way.connections, len(work.rows) // 20 + 1))
        # Every lane is waited for, also when one fails: what is in flight must have its outcome before the lease ends.
        ended = await asyncio.gather(*[self._lane(work) for _ in range(wanted)], return_exceptions=True)
        work.done.set()
        await asyncio.gather(watcher, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                # An OSError is a full disk: nothing may leave that is not in the journal first.
                log.error("a lane failed; its lease is given back", error=repr(error), lease=work.lease.id)
                self._hold_off(work.lease.account_id)
                if isinstance(error, OSError):
                    await self._tell_journal(work.lease, error)
        await self.database_until_done(lambda c: self._flush(c, work, last=True))
        work.journal.discard()

    async def _tell_journal(self, lease: leases.Lease, error: OSError) -> None:
        problem = f"The worker's journal cannot be written ({error.strerror or error}): make room on the disk of {self.journals}"
        log.error(problem, lease=lease.id)
        with contextlib.suppress(psycopg.OperationalError):
            await self.database(lambda c: _tell_problem(c, lease, problem, hold=False))

    async def _mark(self, work: Work) -> None:
        """Before more messages may leave, promise on the disk how many that can be."""
        async with work.marking:
            target = min(len(work.rows), work.next_index + MARK_MESSAGES)
            if target - work.marked >= min(MARK_MESSAGES // 2, len(work.rows) - work.marked):
                await asyncio.get_running_loop().run_in_executor(self.threads, work.journal.mark, target)
                work.marked = max(work.marked, target)

    async def _watch(self, work: Work) -> None:
        """While a lease is worked on: outcomes to the ledger, the lease kept alive, pause and cancel obeyed."""
        flushed_at = time.monotonic()
        while not work.done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(work.done.wait(), CONTROL_SECONDS)
                return
            try:
                state = await self.database(lambda c: _state_of(c, work.lease.account_id, work.lease.send_id))
                if state != "ready":
                    work.stop = state
                if work.noted and time.monotonic() - flushed_at > FLUSH_SECONDS:
                    await self.database(lambda c: self._flush(c, work, last=False))
                    flushed_at = time.monotonic()
                if time.monotonic() - work.extended_at > leases.LEASE_SECONDS / 4:
                    await self.database(lambda c: leases.extend(c, work.lease))
                    work.extended_at = time.monotonic()
            except psycopg.OperationalError:
                continue  # the outcomes are in the journal; the database will be back

    async def _lane(self, work: Work) -> None:
        """One connection's share of the lease: keep the pipeline full until there are no more."""
        await self._mark(work)
        while self._more(work):
            connection = await self._connection(work)
            if connection is None:
                return
            try:
                await self._feed(work, connection)
            except BaseException:
                work.stop = work.stop or "failed"
                connection.abort("the worker failed")  # which tells each message under way its honest outcome
                raise
            if connection.usable and not connection.pending:
                self.connections.setdefault(work.way, []).append(connection)

    async def _feed(self, work: Work, connection: Connection) -> None:
        """Keep the connection's pipeline full: outcomes push the next message themselves, without a task switch."""
        wake = asyncio.Event()

        def pump() -> None:
            while (
                connection.pending < PIPELINE_MESSAGES
                and connection.usable
                and work.next_index < work.marked
                and self._more(work)
            ):
                self._push_next(work, connection, pump)
            if not connection.pending or work.marked - work.next_index < MARK_MESSAGES // 2:
                wake.set()

        while connection.usable and self._more(work):
            if work.marked < len(work.rows) and work.marked - work.next_index < MARK_MESSAGES // 2:
                await self._mark(work)
            pump()
            wake.clear()
            if connection.pending:
                await wake.wait()
        await connection.drained()

    def _more(self, work: Work) -> bool:
        return work.next_index < len(work.rows) and not work.stop and not self.stop.is_set()

    def _push_next(self, work: Work, connection: Connection, pump: Callable[[], None]) -> None:
        if not work.ready:
            _compose_next(work)
        row, message = work.rows[work.next_index], work.ready.popleft()
        work.next_index += 1
        if isinstance(message, Noted):  # there is nothing to send
            self._note(work, message)
            return
        seq, attempt = row.seq, row.attempts + 1

        def on_outcome(outcome: Outcome) -> None:
            noted = _noted(seq, attempt, outcome)
            if noted is not None:  # None: nothing of it was said to the server; it is given back untouched
                self._note(work, noted)
            pump()

        connection.push(
            message.sender, message.recipient, (message.head, message.body),
            on_dot=lambda: work.journal.dot(seq), on_outcome=on_outcome, wire_ready=True,
        )  # fmt: skip

    def _note(self, work: Work, noted: Noted) -> None:
        """Into the journal first; if that is full, the outcome lives on in memory until it is in the ledger."""
        try:
            work.journal.outcome(noted)
        except OSError as error:
            log.error("outcome not journaled", error=str(error))
            work.stop = "journal"
        work.noted.append(noted)
        work.settled.add(noted.seq)
        self.sent += 1

    # Connections

    async def _connection(self, work: Work) -> Connection | None:
        """A connection for the lease's route, or None when the route does not answer: then the lease is given back."""
        idle = self.connections.get(work.way, [])
        while idle:
            connection = idle.pop()
            if connection.usable:
                self._holding_off.pop(work.lease.account_id, None)
                return connection
        try:
            made = await connect_way(work.way, ehlo_name=self.ehlo_name, connect_timeout_seconds=15, timeouts=TIMEOUTS)
        except SmtpConnectError as error:
            await self._route_failed(work, error)
            return None
        self._holding_off.pop(work.lease.account_id, None)
        return made

    async def _route_failed(self, work: Work, error: SmtpConnectError) -> None:
        first = not work.stop
        work.stop = "route"
        if not first:
            return
        self._hold_off(work.lease.account_id)
        log.warning("route does not answer", host=work.way.host, port=work.way.port, problem=str(error))
        with contextlib.suppress(psycopg.OperationalError):
            await self.database(lambda c: _tell_problem(c, work.lease, str(error), hold=error.permanent))

    def _hold_off(self, account_id: int) -> None:
        seconds = min(self._holding_off.get(account_id, (0, 0.25))[1] * 2, 30.0)
        self._holding_off[account_id] = (time.monotonic() + seconds, seconds)

    # Ledger

    def _flush(self, connection: psycopg.Connection, work: Work, *, last: bool) -> None:
        """Outcomes so far into the ledger; the last one ends the lease in the same transaction."""
        count = len(work.noted)
        noted = work.noted[:count]
        lease = work.lease
        with connection.transaction():
            tenancy.enter(connection, lease.account_id)
            ledger.record(
                connection, account_id=lease.account_id, send_id=lease.send_id, noted=noted, backoff=work.backoff
            )
            if last:
                leases.give_back(connection, lease, [row.seq for row in work.rows if row.seq not in work.settled])
            if any(one.status == RecipientStatus.DELIVERED for one in noted):
                connection.execute(
                    "UPDATE delivery_send SET problem = '' WHERE account_id = %s AND id = %s AND problem <> ''",
                    [lease.account_id, lease.send_id],
                )
        del work.noted[:count]


def _compose_next(work: Work) -> None:
    """Make the next few messages. What is not sent in the end (a pause, a lost route) is given back with its row."""
    rows = work.rows[work.next_index : work.next_index + COMPOSED_AT_ONCE]
    drafts = [_draft(work.composer, row) for row in rows]
    made: list[Any] = [draft for draft in drafts if not isinstance(draft, Noted)]
    composer = work.composer
    finished = iter(composer.finish_all(made) if isinstance(composer, Composer) else map(composer.finish, made))
    work.ready.extend([draft if isinstance(draft, Noted) else next(finished) for draft in drafts])


def _draft(composer: Composer | StreamComposer, row: Any) -> Draft | StreamDraft | Noted:
    """The row's message, or why it gets none."""
    refusal = _refusal(row)
    if refusal is not None and isinstance(composer, StreamComposer) and composer.passes_over(row.seq):
        refusal = None
    if refusal is None:
        try:
            return composer.draft_row(row)
        except (ContentError, HeaderError) as error:
            refusal = RecipientStatus.FAILED, str(error)
    return Noted(row.seq, int(refusal[0]), 0, row.attempts + 1, time.time(), refusal[1])


def _refusal(row: Any) -> tuple[RecipientStatus, str] | None:
    """Why a frozen recipient gets nothing after all: what happened between the freeze and now."""
    if not row.exists:
        return RecipientStatus.CANCELLED, "The contact was deleted after the audience was frozen."
    if row.do_not_mail:
        return RecipientStatus.CANCELLED, f"Put on do-not-mail after the audience was frozen ({row.do_not_mail})."
    if row.brand_do_not_mail:
        why = f"Put on the brand's do-not-mail after the audience was frozen ({row.brand_do_not_mail})."
        return RecipientStatus.CANCELLED, why
    if row.on_secure_list:
        return RecipientStatus.CANCELLED, "Put on a secure list that is left out, after the audience was frozen."
    return None


def _noted(seq: int, attempt: int, outcome: Outcome) -> Noted | None:
    now = time.time()
    if isinstance(outcome, Accepted):
        return Noted(seq, int(RecipientStatus.DELIVERED), outcome.code, attempt, now, "")
    if isinstance(outcome, Uncertain):
        return Noted(seq, int(RecipientStatus.UNCERTAIN), 0, attempt, now, outcome.text)
    text = f"{outcome.enhanced} {outcome.text}".strip()
    if isinstance(outcome, Deferred):
        if outcome.stage == "queued":
            return None
        return Noted(seq, int(RecipientStatus.DEFERRED), outcome.code, attempt, now, text)
    assert isinstance(outcome, Refused)
    return Noted(seq, int(RecipientStatus.BOUNCED), outcome.code, attempt, now, text)


def _state_of(connection: psycopg.Connection, account_id: int, send_id: int) -> str:
    row = connection.execute(
        "SELECT state FROM delivery_send WHERE account_id = %s AND id = %s", [account_id, send_id]
    ).fetchone()
    return row[0] if row else "cancelled"


def _tell_problem(connection: psycopg.Connection, lease: leases.Lease, problem: str, *, hold: bool) -> None:
    """Write down why a send stands still. `hold`: it cannot go on before a person changed something."""
    with connection.transaction():
        tenancy.enter(connection, lease.account_id)
        connection.execute(
            "UPDATE delivery_send SET problem = %s, state = CASE WHEN %s AND state = 'ready' THEN 'paused' ELSE state END "
            "WHERE account_id = %s AND id = %s",
            [problem[:1000], hold, lease.account_id, lease.send_id],
        )
