"""The service as `standfast up` starts it, killed between commit and reply: who hands in again makes no second mail."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from benchmarks.installation import free_ports
from django.db import connection

from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
SERVICE = ["-m", "standfast.cli", "run", "smtp_api"]
DIES = """
import os, signal, django
django.setup()
from standfast.platform import config
from standfast.services.smtp_api import acceptance, main
acceptance.Handed.answer = lambda handed, reply: os.kill(os.getpid(), signal.SIGKILL)
main.main(config.load())
"""
PEOPLE = ["alice@people.example", "bob@people.example"]


@contextmanager
def running(port: int, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "STANDFAST_SUBMISSION_PORT": str(port)}
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, "the service ended"
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def hand_in(port: int, key: str) -> int:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.login("key", key)
        client.mail("receipts@shop.example")
        for person in PEOPLE:
            client.rcpt(person)
        code, _ = client.data(
            b"From: receipts@shop.example\r\nTo: you@people.example\r\nMessage-ID: <1@shop.example>\r\n"
            b"X-CampaignName: Receipts\r\n\r\nHello\r\n"
        )
        return code


def test_a_kill_between_commit_and_reply(cast, key):
    [port] = free_ports(1)
    with running(port, "-c", DIES) as process:
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            hand_in(port, key)
        assert process.wait(20) == -signal.SIGKILL
    assert stored(cast) == PEOPLE  # committed, and nobody was told
    with running(port, *SERVICE) as process:
        assert [hand_in(port, key) for _ in range(2)] == [250, 250]
        process.terminate()
        assert process.wait(30) == 0
    assert stored(cast) == PEOPLE


def stored(cast) -> list[str]:
    with account_scope(cast.account.pk), connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.email FROM delivery_submission s JOIN delivery_recipient r USING (account_id, send_id, seq)"
            " WHERE account_id = %s ORDER BY seq",
            [cast.account.pk],
        )
        return [email for (email,) in cursor.fetchall()]
