"""Bounces and complaints over real SMTP: 250 stands for an event on disk, and nothing else is taken."""

import os
import resource
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from standfast.platform.spool_reader import read_batch
from standfast.protocols.event_record import EventRecord, decode_event
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient
from standfast.services.mail_exchanger.main import TOKEN_KEY_PURPOSE

SECRET = b"x" * 32
KEY = derive(SECRET, TOKEN_KEY_PURPOSE)
DOMAIN = "bounces.example.com"


class Exchanger:
    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.var.mkdir(exist_ok=True)
        (self.var / "secret.key").write_bytes(SECRET)
        environment = {
            **os.environ,
            "STANDFAST_VAR": str(self.var),
            "STANDFAST_HOST": "127.0.0.1",
            "STANDFAST_EXCHANGER_PORT": str(self.port),
            "STANDFAST_BOUNCE_DOMAIN": DOMAIN,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "standfast.services.mail_exchanger.main"], env=environment
        )
        while True:
            try:
                smtplib.SMTP("127.0.0.1", self.port, timeout=20).quit()
                return
            except ConnectionError:
                assert self.process.poll() is None
                time.sleep(0.05)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(timeout=20)

    def send(self, recipients: str | list[str], message: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail("", recipients, message.replace("\n", "\r\n").encode())

    def events(self) -> list[EventRecord]:
        found: list[EventRecord] = []
        position = 0
        while (batch := read_batch(self.var / "spool" / "exchanger", position=position)).after != batch.before:
            found += [decode_event(payload) for _, payload in batch.records]
            position = batch.after
        return found

    def unparsed(self) -> list[str]:
        return sorted(path.name.split(".")[1] for path in (self.var / "exchanger" / "unparsed").iterdir())


@pytest.fixture
def exchanger(tmp_path: Path) -> Iterator[Exchanger]:
    running = Exchanger(tmp_path / "var")
    running.start()
    yield running
    if running.process and running.process.poll() is None:
        running.stop()


def bounce_token(seq: int = 3) -> str:
    return seal_recipient(KEY, RecipientRef(1, 2, seq, 4, 1_700_000_000), purpose="bounce")


def bounce_address(seq: int = 3) -> str:
    return f"b-{bounce_token(seq)}@{DOMAIN}"


def dsn(action: str = "failed", status: str = "5.1.1", diagnostic: str = "550 5.1.1 User unknown") -> str:
    return f"""From: MAILER-DAEMON@mx.example.net
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="xx"

--xx
Content-Type: text/plain

Your message could not be delivered.

--xx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; bob@example.net
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--xx--
"""


def arf(original_sender: str, kind: str = "abuse", link: str = "") -> str:
    return f"""From: fbl@provider.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="xx"

--xx
Content-Type: text/plain

An abuse report.

--xx
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <{original_sender}>

--xx
Content-Type: message/rfc822

From: shop@example.com
List-Unsubscribe: <{link or "https://t.example.com/u/nothing"}>
Subject: Offers

Hello
--xx--
"""


VACATION = "From: bob@example.net\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n"


def test_a_hard_bounce(exchanger: Exchanger) -> None:
    exchanger.send(bounce_address().upper().replace("B-", "b-", 1), dsn())
    (event,) = exchanger.events()
    assert (event.account_id, event.kind, event.send_id, event.seq, event.contact_id) == (1, "bounced", 2, 3, 4)
    assert (event.data["class"], event.data["hard"]) == ("InvalidRecipient", True)
    assert (event.data["code"], event.data["enhanced"]) == (550, "5.1.1")


def test_what_is_no_hard_bounce(exchanger: Exchanger) -> None:
    exchanger.send(bounce_address(1), dsn(diagnostic="550 5.7.1 blocked by policy", status="5.7.1"))
    exchanger.send(bounce_address(2), dsn(action="delayed", status="4.4.1", diagnostic="451 timed out"))
    exchanger.send(bounce_address(3), dsn(action="delivered", status="2.0.0", diagnostic="250 ok"))
    exchanger.send(bounce_address(4), VACATION)
    found = [(event.kind, event.seq, event.data["hard"]) for event in exchanger.events()]
    assert found == [("bounced", 1, False), ("deferred", 2, False)]
    assert exchanger.unparsed() == []


def test_complaints(exchanger: Exchanger) -> None:
    link = seal_recipient(KEY, RecipientRef(1, 2, 8, 4, 1_700_000_000))
    exchanger.send(f"fbl@{DOMAIN}", arf(bounce_address(7)))
    exchanger.send(f"abuse@{DOMAIN}", arf("redacted@example.com", link=f"https://t.example.com/u/{link}"))
    exchanger.send(f"fbl@{DOMAIN}", arf(bounce_address(9), kind="not-spam"))
    exchanger.send(f"fbl@{DOMAIN}", arf("redacted@example.com"))
    assert [(event.kind, event.seq) for event in exchanger.events()] == [("complained", 7), ("complained", 8)]
    assert exchanger.unparsed() == ["complained_of_unknown_recipient"]


def test_what_is_not_understood_is_kept(exchanger: Exchanger) -> None:
    exchanger.send(bounce_address(), "Subject: hello\n\nDid you get my order?\n")
    exchanger.send(f"postmaster@{DOMAIN}", "Subject: hello\n\nYour server is broken.\n")
    assert exchanger.unparsed() == ["no_report", "postmaster"]
    assert exchanger.events() == []


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.net", f"bob@{DOMAIN}", "fbl@example.net", "postmaster@example.net", f"b-@{DOMAIN}",
        f"b-{bounce_token()[:-1]}@{DOMAIN}", f"b-{bounce_token()}0@{DOMAIN}", f"b-b{'a' * 40}@{DOMAIN}",
        f"b-{seal_recipient(KEY, RecipientRef(1, 2, 3, 4, 5))}@{DOMAIN}",
    ],
)  # fmt: skip
def test_nothing_else_is_taken(tmp_path_factory: pytest.TempPathFactory, address: str) -> None:
    from standfast.services.mail_exchanger.addressing import destination

    assert destination(address, key=KEY, domains=frozenset({DOMAIN})) is None


def test_a_stranger_is_refused_over_smtp(exchanger: Exchanger) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        exchanger.send("bob@example.net", "Subject: relay me\n\n")
    assert refused.value.recipients["bob@example.net"][0] == 550


def test_a_full_disk_is_a_temporary_error(exchanger: Exchanger) -> None:
    assert exchanger.process
    before = resource.prlimit(exchanger.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(exchanger.process.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    for message in (dsn(), "Subject: not understood\n\n"):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            exchanger.send(bounce_address(), message)
        assert refused.value.smtp_code == 451
    resource.prlimit(exchanger.process.pid, resource.RLIMIT_FSIZE, before)
    exchanger.send(bounce_address(), dsn())
    assert len(exchanger.events()) == 1
    assert exchanger.unparsed() == []
    assert exchanger.stop() == 0


def test_kill_9_loses_no_bounce_that_was_taken(exchanger: Exchanger) -> None:
    taken: list[int] = []

    def send(number: int) -> None:
        for seq in range(number * 1000, number * 1000 + 1000):
            try:
                exchanger.send(bounce_address(seq), dsn())
            except (OSError, smtplib.SMTPException):
                return
            taken.append(seq)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.6)
    assert exchanger.process
    os.kill(exchanger.process.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    exchanger.process.wait()
    assert taken
    assert not set(taken) - {event.seq for event in exchanger.events()}
