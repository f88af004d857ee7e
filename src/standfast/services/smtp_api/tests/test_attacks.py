"""What clients try, over real sockets at the service as it is set up: nothing is stored half, nothing is passed on."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl

import pytest

from standfast.components.accounts.api import ApiKey, revoke_key
from standfast.platform.tenancy import account_scope
from standfast.services.smtp_api.main import MESSAGE_BYTES_MAX
from standfast.services.smtp_api.order import RECIPIENTS_MAX
from standfast.services.smtp_api.tests.conftest import bodies

pytestmark = pytest.mark.django_db(transaction=True)
TO = b"RCPT TO:<alice@people.example>\r\n"
MAIL = b"MAIL FROM:<receipts@shop.example>\r\n"


def letter(*headers: bytes, body: bytes = b"Hello\r\n") -> bytes:
    lines = [b"From: receipts@shop.example", b"To: alice@people.example", b"Message-ID: <1@shop.example>", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


RECEIPT = letter(b"X-CampaignName: Receipts")


def opening(key: str) -> bytes:
    return b"EHLO x\r\nAUTH PLAIN " + base64.b64encode(f"\0key\0{key}".encode()) + b"\r\n"


async def say(port: int, *pieces: bytes) -> list[bytes]:
    """All pieces without waiting for answers, but for 354; the lines that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    for piece in pieces:
        writer.write(piece)
        if piece.endswith(b"DATA\r\n"):
            heard += await asyncio.wait_for(reader.readuntil(b"354 "), 20)
    writer.write(b"QUIT\r\n")
    heard += await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return heard.split(b"\r\n")[:-1]


SECOND = b"MAIL FROM:<evil@shop.example>\r\nRCPT TO:<victim@people.example>\r\nDATA\r\n" + RECEIPT


async def test_no_other_end_of_message_smuggles_a_second_one(cast, key, ports):
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"):
        lines = await say(ports[0], opening(key), MAIL + TO + b"DATA\r\n", RECEIPT[:-2] + end + SECOND + b"\r\n.\r\n")
        assert lines[-2].startswith(b"550 5.6.11") and lines[-1].startswith(b"221"), end
    assert await bodies(cast) == []
    lines = await say(ports[0], opening(key), MAIL + TO + b"DATA\r\n", RECEIPT + b"\0.\r\n" + SECOND + b"\r\n.\r\n")
    assert lines[-2:] == [b"250 2.0.0 taken", b"221 2.0.0 goodbye"]
    [raw] = await bodies(cast)  # a line as any other: one message
    assert b"victim" in raw


async def test_a_message_in_chunks_and_one_by_data_are_stored_the_same(cast, key, ports):
    other = RECEIPT.replace(b"<1@", b"<2@")
    chunks = b"BDAT 10\r\n%bBDAT %d LAST\r\n%b" % (other[:10], len(other) - 10, other[10:])
    lines = await say(ports[0], opening(key) + MAIL + TO + chunks, MAIL + TO + b"DATA\r\n", RECEIPT + b".\r\n")
    assert [line for line in lines if line.endswith(b"taken")] == [b"250 2.0.0 10 bytes taken"] + [
        b"250 2.0.0 taken"
    ] * 2
    first, second = await bodies(cast)
    assert first.replace(b"<2@", b"<1@") == second


async def test_pipelined_nonsense_and_a_half_message_store_nothing(cast, key, ports):
    nonsense = b"\0\r\nMAIL\r\nRCPT TO:<>\r\nDATA\r\nBDAT 4\r\nabcd\xff\r\nSEND FROM:<x@y>\r\n" + b"EXPN\r\n" * 30
    lines = await say(ports[0], opening(key) + nonsense)
    assert lines[-1] == b"421 4.7.0 too many errors"
    reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
    writer.write(opening(key) + MAIL + TO + b"BDAT 4000\r\n" + RECEIPT)
    await asyncio.sleep(0.1)
    writer.transport.abort()
    await asyncio.wait([asyncio.ensure_future(reader.read())])
    assert await bodies(cast) == []


async def test_what_follows_starttls_in_clear_is_not_taken_for_encrypted(cast, key, ports):
    lines = await say(ports[0], b"EHLO x\r\nSTARTTLS\r\n" + opening(key) + MAIL + TO)
    assert lines[-1].startswith(b"421 4.7.0 no commands may follow STARTTLS")

    def later() -> bytes:
        """The bytes come in the moment after 220, before the handshake: they are no part of TLS either."""
        with socket.create_connection(("127.0.0.1", ports[0]), 20) as client:
            client.recv(1000)
            client.sendall(b"STARTTLS\r\n")
            client.recv(1000)
            client.sendall(opening(key))
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with pytest.raises(OSError):
                context.wrap_socket(client)
            return b""

    assert await asyncio.to_thread(later) == b""
    assert await bodies(cast) == []


async def test_too_large_by_announcement_and_by_surprise(cast, key, ports):
    lines = await say(ports[0], opening(key) + MAIL.replace(b">", b"> SIZE=%d" % (MESSAGE_BYTES_MAX + 1)) + TO)
    assert any(line.startswith(b"552 5.3.4") for line in lines)
    surprise = letter(b"X-CampaignName: Receipts", body=(b"x" * 98 + b"\r\n") * (MESSAGE_BYTES_MAX // 100 + 1))
    announced = MAIL.replace(b">", b"> SIZE=10")
    lines = await say(
        ports[0], opening(key), announced + TO + b"DATA\r\n", surprise + b".\r\n",
        announced + TO + b"BDAT %d\r\n%b" % (len(surprise), surprise), MAIL + TO + b"DATA\r\n", RECEIPT + b".\r\n",
    )  # fmt: skip
    assert [line[:9] for line in lines if line.startswith((b"552", b"250 2.0.0"))] == [b"552 5.3.4"] * 2 + [
        b"250 2.0.0"
    ]
    assert len(await bodies(cast)) == 1


async def test_a_recipient_too_many_is_put_off_and_the_others_get_it(cast, key, ports):
    many = b"".join(b"RCPT TO:<p%d@people.example>\r\n" % number for number in range(RECIPIENTS_MAX + 1))
    lines = await say(ports[0], opening(key) + MAIL + many + b"DATA\r\n", RECEIPT + b".\r\n")
    assert lines[-2] == b"250 2.0.0 taken"
    assert sum(line.startswith(b"452 4.5.3") for line in lines) == 1
    assert len(await bodies(cast)) == RECIPIENTS_MAX


HEADERS = [
    b"X-CampaignName: Receipts\r\n\tBcc: victim@people.example",
    b"X-CampaignName: =?utf-8?q?Receipts=0D=0ABcc:_victim@people.example?=",
    b'X-SMTPAPI: {"category": "a\\r\\nBcc: victim@people.example"}',
    b'X-SMTPAPI: {"to": ["victim@people.example>\\r\\nBcc: x@people.example"]}',
    b'X-SMTPAPI: {"sub": {"%x%": ["\\r\\nBcc: victim@people.example"]}}\r\nSubject: hi %x%',
    b"X-CampaignName: Receipts\r\nX-CTags: a\r\n b,\xff\xfe",
    b"X-CampaignName: " + b"\xff" * 900,
    b'X-SMTPAPI: {"category": "\\ud800"}',
    b"X-CampaignName: R\r\nX-CampaignID: " + b"9" * 900,
]


async def test_no_header_brings_another_into_being(cast, key, ports):
    for number, header in enumerate(HEADERS):
        raw = letter(header).replace(b"<1@", b"<%d@" % number)  # another message each time
        lines = await say(ports[0], opening(key), MAIL + TO + b"DATA\r\n", raw + b".\r\n")
        assert lines[-2].startswith((b"250 2.0.0 taken", b"554 5.6.0")), header
    stored = await bodies(cast)
    assert len(stored) > 4
    for raw in stored:
        head = raw.partition(b"\r\n\r\n")[0].lower()
        assert b"\nbcc" not in head and b"x-campaign" not in head and b"x-smtpapi" not in head


async def test_who_guesses_is_sent_away(cast, key, ports):
    wrong = b"AUTH PLAIN " + base64.b64encode(b"\0key\0sf_1_" + b"x" * 40) + b"\r\n"
    lines = await say(ports[0], b"EHLO x\r\n" + wrong * 5 + opening(key)[8:] + MAIL)
    assert [line[:3] for line in lines[-4:]] == [b"535", b"535", b"535", b"421"]


async def test_a_session_ends_with_its_key(cast, key, ports, monkeypatch):
    monkeypatch.setattr("standfast.services.smtp_api.acceptance.KEY_SECONDS", 0.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
    transaction = MAIL + TO + b"BDAT %d LAST\r\n" % len(RECEIPT) + RECEIPT
    writer.write(opening(key) + transaction)
    await asyncio.wait_for(reader.readuntil(b"250 2.0.0 taken\r\n"), 20)

    def end() -> None:
        with account_scope(cast.account.pk):
            revoke_key(cast.account, ApiKey.objects.get(account=cast.account).pk)

    await asyncio.to_thread(end)
    writer.write(transaction.replace(b"<1@", b"<2@"))
    assert b"\r\n421 4.7.0 the API key has ended" in await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert len(await bodies(cast)) == 1


async def test_a_flood_of_headers_is_refused_before_it_is_read(cast, key, ports):
    lines = await say(ports[0], b"EHLO x\r\n" + MAIL + TO + b"DATA\r\n", b"a:\r\n" * 200_000 + b"\r\nx\r\n.\r\n")
    assert lines[-2] == b"554 5.6.0 there are more than 1,000 headers"
