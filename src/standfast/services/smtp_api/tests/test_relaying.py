"""Postfix as the client: a relay that queues, hands on over STARTTLS with AUTH and tries again. What it was given arrives once."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import time
from pathlib import Path

import pytest
from django.db import connection
from tests.postfix import Postfix, postfix, why_not

from standfast.platform.tenancy import account_scope
from standfast.protocols.smtp_server import Drop
from standfast.services.smtp_api.acceptance import AGAIN_LATER
from standfast.services.smtp_api.session import Submission
from standfast.services.smtp_api.tests.conftest import serving

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]
PEOPLE = ["alice@people.example", "bob@people.example", "carol@people.example"]


def settings(port: int, key: str, certificate: Path) -> dict[str, object]:
    return {
        "relayhost": f"[localhost]:{port}", "smtp_tls_security_level": "secure", "smtp_tls_CAfile": certificate,
        "smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": f"static:key:{key}",
        "smtp_sasl_security_options": "noanonymous", "smtp_sasl_mechanism_filter": "plain",
    }  # fmt: skip


def letter(number: int, *headers: str, body: bytes) -> bytes:
    lines = ["From: Shop <receipts@shop.example>", "To: people <alice@people.example>", "X-CampaignName: Receipts",
             f"Message-ID: <{number}@shop.example>", *headers]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


EIGHT_BITS = letter(
    1, "Subject: 8BITMIME", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    body="Grüße\r\n.\r\n..\r\n.punkt\r\n\r\n\r\nFrom the start\r\n \t \r\n".encode() + b"x" * 998 + b"\r\n",
)  # fmt: skip
ATTACHED = letter(
    2, "Subject: attached", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"',
    body=b"--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n--b\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n"
    + base64.encodebytes(bytes(range(256)) * 800).replace(b"\n", b"\r\n") + b"--b--\r\n",
)  # fmt: skip
BEYOND_ASCII = letter(3, "Subject: Grüße 🌷", "X-Custom-Name: Jörg", body="Grüße\r\n".encode())


async def hand_in(relay: Postfix, raw: bytes, people: list[str], *options: str) -> None:
    def go() -> None:
        with smtplib.SMTP("127.0.0.1", relay.port) as client:
            client.sendmail("receipts@shop.example", people, raw, mail_options=options)

    await asyncio.to_thread(go)


async def arrived(cast, relay: Postfix, count: int) -> list[tuple[str, bytes]]:
    """(address, message) of all rows, once there are so many and the relay has nothing left."""

    def rows() -> list[tuple[str, bytes]]:
        with account_scope(cast.account.pk), connection.cursor() as cursor:
            cursor.execute(
                "SELECT r.email, s.raw FROM delivery_submission s JOIN delivery_recipient r USING (account_id, send_id, seq)"
                " WHERE account_id = %s ORDER BY seq",
                [cast.account.pk],
            )
            return [(email, bytes(raw)) for email, raw in cursor.fetchall()]

    until = time.monotonic() + 60
    while len(found := await asyncio.to_thread(rows)) < count or relay.queued():
        assert time.monotonic() < until, f"{len(found)} of {count} arrived, {relay.queued()} are queued\n{relay.log()}"
        await asyncio.to_thread(relay.try_again)
        await asyncio.sleep(0.05)
    return found


async def test_what_a_relay_hands_on_arrives_byte_by_byte(cast, key, certificate, ports):
    with postfix(settings(ports[0], key, certificate)) as relay:
        await hand_in(relay, EIGHT_BITS, PEOPLE, "BODY=8BITMIME")
        await hand_in(relay, ATTACHED, PEOPLE[:2])
        await hand_in(relay, BEYOND_ASCII, ["anna@bücher.example"], "SMTPUTF8", "BODY=8BITMIME")
        found = await arrived(cast, relay, 6)
    by_person: dict[str, list[bytes]] = {}
    for email, raw in found:
        by_person.setdefault(email, []).append(raw)
    assert {email: len(raws) for email, raws in by_person.items()} == {
        PEOPLE[0]: 2, PEOPLE[1]: 2, PEOPLE[2]: 1, "anna@xn--bcher-kva.example": 1,
    }  # fmt: skip
    for given in (EIGHT_BITS, ATTACHED, BEYOND_ASCII):
        head, _, body = given.partition(b"\r\n\r\n")
        same = [raw for _, raw in found if raw.endswith(b"\r\n\r\n" + body)]
        assert len(same) == {EIGHT_BITS: 3, ATTACHED: 2, BEYOND_ASCII: 1}[given]
        wanted = [line for line in head.split(b"\r\n") if not line.startswith(b"X-CampaignName")]
        for raw in same:
            lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
            assert [line for line in lines if line in wanted] == wanted


async def test_a_relay_that_was_put_off_or_cut_off_after_the_dot_makes_no_second_mail(cast, key, certificate):
    class Moody(Submission):
        moods = ["451", "cut", "451 after the commit"]

        async def on_message(self, envelope, raw):
            mood = self.moods.pop(0) if self.moods else ""
            if mood == "451":
                return AGAIN_LATER
            answer = await super().on_message(envelope, raw)
            return Drop() if mood == "cut" else AGAIN_LATER if mood else answer

    async with serving(certificate, Moody) as ports:
        with postfix(settings(ports[0], key, certificate)) as relay:
            await hand_in(relay, ATTACHED, PEOPLE)
            found = await arrived(cast, relay, 3)
            assert Moody.moods == []
    assert [email for email, _ in found] == PEOPLE
