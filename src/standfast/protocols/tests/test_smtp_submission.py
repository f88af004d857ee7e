"""AUTH and SMTPUTF8 over real sockets, with smtplib as the client."""

import asyncio
import base64
import smtplib
import socket

import pytest

from standfast.protocols.smtp_outcome import Reply
from standfast.protocols.smtp_server import Limits, SessionHooks, serve
from standfast.protocols.smtp_submission import SubmissionSession


class Hooks(SessionHooks):
    got: list[tuple[str, list[str]]] = []
    asked: list[tuple[str, str]] = []

    def on_auth(self, username, password):
        type(self).asked.append((username, password))
        return None if password == "geheim-é" else Reply(535, "5.7.8 no")

    def on_message(self, envelope, raw):
        type(self).got.append((envelope.sender, list(envelope.recipients)))


@pytest.fixture
async def port():
    Hooks.got, Hooks.asked = [], []
    limits = Limits(auth_delay_seconds=0.01)
    server = await serve(host="127.0.0.1", port=0, hooks=Hooks, session=SubmissionSession, limits=limits)
    yield server.port
    await server.close()


async def run(call):
    return await asyncio.to_thread(call)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_client_is_let_in_and_sends_to_an_address_beyond_ascii(port, mechanism):
    def go():
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            assert "AUTH" in client.ehlo_resp.decode() and client.has_extn("smtputf8")
            if mechanism == "PLAIN":
                words = base64.b64encode("\0me\0geheim-é".encode()).decode()
                assert client.docmd("AUTH", f"PLAIN {words}")[0] == 235
            else:
                assert client.docmd("AUTH", "LOGIN")[0] == 334
                assert client.docmd(base64.b64encode(b"me").decode())[0] == 334
                assert client.docmd(base64.b64encode("geheim-é".encode()).decode())[0] == 235
            client.sendmail(
                "a@b.example", ["jörg@bücher.example"], "Subject: x\r\n\r\nx\r\n", mail_options=["SMTPUTF8"]
            )

    await run(go)
    assert Hooks.asked == [("me", "geheim-é")]
    assert Hooks.got == [("a@b.example", ["jörg@bücher.example"])]


def dialogue(port: int, *lines: bytes) -> list[bytes]:
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        file = client.makefile("rb")
        answers = [file.readline()]
        for line in lines:
            client.sendall(line + b"\r\n")
            while True:
                answer = file.readline()
                answers.append(answer[:3])
                if answer[3:4] != b"-":
                    break
        return answers


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([b"AUTH PLAIN"], [b"503"]),
        ([b"EHLO x", b"AUTH CRAM-MD5"], [b"504"]),
        ([b"EHLO x", b"AUTH PLAIN", b"*"], [b"334", b"501"]),
        ([b"EHLO x", b"AUTH PLAIN", b"!!!"], [b"334", b"501"]),
        ([b"EHLO x", b"AUTH PLAIN " + base64.b64encode(b"no nulls")], [b"501"]),
        ([b"EHLO x", b"AUTH PLAIN " + base64.b64encode(b"\0u\0wrong")], [b"535"]),
        ([b"EHLO x", b"MAIL FROM:<a@b>", b"AUTH PLAIN"], [b"250", b"503"]),
        ([b"EHLO x", b"MAIL FROM:<\xff@b>"], [b"500"]),
    ],
)
async def test_what_is_refused(port, lines, codes):
    answers = await run(lambda: dialogue(port, *lines))
    assert answers[-len(codes) :] == codes


async def test_a_client_that_closed_its_side_still_hears_the_answer():
    class Slow(Hooks):
        async def on_message(self, envelope, raw):
            await asyncio.sleep(0.1)

    server = await serve(host="127.0.0.1", port=0, hooks=Slow, session=SubmissionSession)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
    await asyncio.sleep(0.1)
    writer.write(b"Subject: x\r\n\r\nx\r\n.\r\n")
    writer.write_eof()
    answers = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await server.close()
    assert answers.endswith(b"250 2.0.0 ok\r\n")


async def test_a_guesser_is_sent_away_at_the_third_wrong_word(port):
    wrong = b"AUTH PLAIN " + base64.b64encode(b"\0u\0wrong")
    answers = await run(lambda: dialogue(port, b"EHLO x", wrong, wrong, wrong, wrong))
    assert answers[-4:] == [b"535", b"535", b"535", b"421"]
    assert len(Hooks.asked) == 3
