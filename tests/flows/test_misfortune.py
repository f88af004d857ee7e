"""What goes wrong around one lease must not hold its send, or anybody else's: hostile replies, a disk that is full, a lease
that cannot be recovered. A full disk is said on the page, and an import waits for room."""

from __future__ import annotations

import datetime as dt
import errno
import json

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from standfast.components.audience import import_pages, importing, starting
from standfast.components.audience.api import List
from standfast.components.audience.models import Import
from standfast.components.audience.rejects import Rejects
from standfast.components.delivery import api as delivery
from standfast.components.delivery import leases, recovery
from standfast.components.delivery.journal import JournalDirectory
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope
from standfast.services.inbox.plan import parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store
from tests.flows.sending import free_port, send_until_finished
from tests.flows.test_send import books, prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def relay_on_this_machine(monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


async def test_a_reply_with_a_nul_byte_ends_like_any_other(cast, loader, database, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(
        json.dumps({"rule": [{"recipient": "p1@*", "action": "refuse", "code": 550, "text": "5.1.1 no\0body"}]})
    )
    port = free_port()
    send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=20)
    inbox = Inbox(plan=parse_plan(str(plan)), store=Store(tmp_path / "mail"))
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 19, "bounced": 1}
    reply = loader.execute(
        "SELECT reply FROM delivery_recipient WHERE send_id = %s AND status = 3", [send.pk]
    ).fetchone()
    assert reply == ("5.1.1 no?body",)


async def test_a_journal_that_cannot_be_opened_gives_its_lease_back(cast, loader, database, tmp_path, monkeypatch):
    opened = JournalDirectory.open_lease
    refused = []

    def refuse_once(self, lease_id):
        if not refused:
            refused.append(lease_id)
            raise OSError(28, "No space left on device")
        return opened(self, lease_id)

    monkeypatch.setattr(JournalDirectory, "open_lease", refuse_once)
    port = free_port()
    send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=120)
    server = await serve_inbox(
        host="127.0.0.1", port=port, inbox=Inbox(plan=parse_plan("accept"), store=Store(tmp_path))
    )
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    assert refused
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 120}


def test_a_lease_that_cannot_be_recovered_does_not_keep_the_others(cast, loader, database, tmp_path, monkeypatch):
    dead = []
    for _ in range(2):
        send, _ = prepare_once(cast, loader)
        directory = JournalDirectory(tmp_path)
        taken = leases.take(loader, account_id=cast.account.pk, send_id=send.pk, node="here", journal=directory.name)
        assert taken is not None
        directory.open_lease(taken.id).close()
        directory.close()  # the lock is gone, the file stays: a worker that was killed
        dead.append(taken)
    read = recovery.journal.read

    def unreadable(path):
        if path.name == f"{dead[0].id}.journal":
            raise RuntimeError("unreadable")
        return read(path)

    monkeypatch.setattr(recovery.journal, "read", unreadable)
    with psycopg.connect(postgres.dsn(database, "loader")) as connection:
        assert recovery.recover(connection, journals=tmp_path, node="here") == 1
        monkeypatch.undo()
        assert recovery.recover(connection, journals=tmp_path, node="here") == 1
    left = loader.execute("SELECT count(*) FROM delivery_lease WHERE account_id = %s", [cast.account.pk]).fetchone()
    assert left == (0,)


def test_a_clock_that_jumps_takes_no_lease_from_a_worker_and_leaves_none_for_ever(cast, loader, tmp_path, monkeypatch):
    send, _ = prepare_once(cast, loader)
    taken = leases.take(loader, account_id=cast.account.pk, send_id=send.pk, node="elsewhere", journal="there")
    assert taken is not None
    loader.commit()
    clock, jumped = [1000.0], dt.timedelta(0)
    real = leases.utc_now
    monkeypatch.setattr(recovery.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(leases, "utc_now", lambda: real() + jumped)

    def recovered(after_seconds: float) -> int:
        clock[0] += after_seconds
        return recovery.recover(loader, journals=tmp_path, node="here")

    jumped = dt.timedelta(hours=1)  # it looks long expired, but its worker is alive and says so
    assert recovered(0) == 0
    for _ in range(20):
        leases.extend(loader, taken)
        loader.commit()
        assert recovered(60) == 0
    jumped = dt.timedelta(hours=-1)  # it looks fresh, but its worker is dead
    assert recovered(600) == 0
    assert recovered(600) == 1
    counts = loader.execute(
        "SELECT status, count(*) FROM delivery_recipient WHERE account_id = %s AND send_id = %s GROUP BY 1",
        [cast.account.pk, send.pk],
    ).fetchall()
    assert counts == [(int(delivery.RecipientStatus.UNCERTAIN), 60)]


def test_a_limited_send_goes_on_when_the_clock_jumped_ahead_and_back(cast, loader, monkeypatch):
    send, _ = prepare_once(cast, loader)
    loader.execute("UPDATE delivery_send SET rate_per_minute = 60 WHERE id = %s", [send.pk])
    loader.commit()
    real, jumped = leases.utc_now, dt.timedelta(hours=1)
    monkeypatch.setattr(leases, "utc_now", lambda: real() + jumped)

    def take():
        taken = leases.take(loader, account_id=cast.account.pk, send_id=send.pk, node="here", journal="j", size=5)
        loader.commit()
        return taken

    assert take() is not None
    assert take() is None, "its limit"
    jumped = dt.timedelta(0)
    assert take() is not None
    assert take() is None, "its limit again"


def prepare_once(cast, loader):
    """`prepare` makes the route, the domain and the list of an account, which it has once."""
    with account_scope(cast.account.pk):
        for made in (delivery.Route, delivery.SendingDomain, List):
            made.objects.filter(account_id=cast.account.pk).delete()
    return prepare(cast, loader, port=free_port(), people=60)


def test_the_page_says_that_a_disk_is_full_and_keeps_no_half_file(cast, config, monkeypatch):
    client = Client(raise_request_exception=False)
    client.force_login(cast.bob, backend="django.contrib.auth.backends.ModelBackend")

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def upload():
        file = SimpleUploadedFile("people.csv", b"email\nann@x.example\n", content_type="text/csv")
        return client.post(f"/accounts/{cast.account.pk}/people/imports/", {"file": file})

    monkeypatch.setattr(import_pages.Path, "chmod", no_room)
    answer = upload()
    assert answer.status_code == 507 and "disk is full" in answer.content.decode()
    assert not list((config.upload_dir / str(cast.account.pk)).glob("import-*"))
    monkeypatch.undo()

    def database_is_full(*_: object, **__: object) -> None:
        raise OperationalError("could not extend file") from psycopg.errors.DiskFull("could not extend file")

    monkeypatch.setattr(starting, "start_import", database_is_full)
    assert upload().status_code == 507
    monkeypatch.undo()
    assert upload().status_code == 302


def test_an_import_waits_for_room_and_goes_on_where_it_was(cast, config, loader, monkeypatch, tmp_path):
    path = tmp_path / "people.csv"
    rows = [f"i{n}@import.example" if n % 7 else "no address" for n in range(3000)]
    path.write_text("email\n" + "\n".join(rows) + "\n")
    (config.upload_dir / str(cast.account.pk)).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(importing, "BATCH_ROWS", 1000)
    with account_scope(cast.account.pk):
        found = starting.import_file(account_id=cast.account.pk, path=path, file_name="people.csv")
    put, calls = Rejects._put, []

    def no_room_at_the_third(self, text: str) -> None:
        calls.append(text)
        if len(calls) == 3:
            put(self, text[:50])  # a full disk can take a part
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, text)

    monkeypatch.setattr(Rejects, "_put", no_room_at_the_third)
    loader.autocommit = True
    with pytest.raises(OSError, match="No space"):
        importing.run_import(loader, account_id=cast.account.pk, import_id=found.pk)
    importing.run_import(loader, account_id=cast.account.pk, import_id=found.pk)
    with account_scope(cast.account.pk):
        done = Import.objects.get(pk=found.pk)
    refused = sum(row == "no address" for row in rows)
    assert (done.state, done.created_count, done.rejected_count) == ("done", len(rows) - refused, refused)
    assert len(importing.Path(done.rejects_path).read_text().splitlines()) == refused + 1
