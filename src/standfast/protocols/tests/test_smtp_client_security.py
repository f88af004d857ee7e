"""TLS and AUTH of the client, against aiosmtpd and against our own server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import uvloop
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from standfast.protocols.smtp_client import Accepted, SmtpConnectError, Stage, connect
from standfast.protocols.smtp_server import SessionHooks, serve

from .certificates import contexts

MESSAGE = b"From: a@a.test\r\nSubject: hi\r\n\r\nhello\r\n.dot\r\n"


class Handler:
    """Keeps what aiosmtpd hands over."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content)
        self.encrypted.append(session.ssl is not None)
        return "250 2.0.0 kept"


def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"alice", b"correct horse"), handled=False)


@asynccontextmanager
async def peer(*, tls: ssl.SSLContext | None = None, implicit: bool = False, **settings: object) -> AsyncIterator:
    handler = Handler()
    factory: Callable[[], SMTP] = partial(
        SMTP, handler, hostname="peer.test", tls_context=None if implicit else tls, authenticator=check, **settings
    )
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=tls if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1], handler
    finally:
        server.close()


async def deliver(port: int, **settings: object) -> None:
    connection = await connect("127.0.0.1", port, **settings)
    outcomes = await asyncio.gather(*(connection.submit("a@a.test", f"r{n}@b.test", MESSAGE) for n in range(3)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    await connection.quit()


@pytest.mark.parametrize("mode", ["opportunistic", "required"])
async def test_starttls(mode: str, tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with peer(tls=server) as (port, handler):
        await deliver(port, tls=mode, ssl_context=client)
        assert handler.contents == [MESSAGE] * 3
        assert handler.encrypted == [True] * 3


async def test_opportunistic_does_not_check_the_certificate_and_required_does(tmp_path: Path) -> None:
    server, _ = contexts(tmp_path)
    async with peer(tls=server) as (port, handler):
        await deliver(port, tls="opportunistic")
        assert handler.encrypted == [True] * 3
        with pytest.raises(SmtpConnectError) as caught:
            await deliver(port, tls="required")
        assert (caught.value.stage, caught.value.permanent) == (Stage.TLS, True)


async def test_implicit_tls(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with peer(tls=server, implicit=True) as (port, handler):
        await deliver(port, tls="implicit", ssl_context=client)
        assert handler.contents == [MESSAGE] * 3
        with pytest.raises(SmtpConnectError) as caught:
            await deliver(port, tls="implicit")
        assert caught.value.permanent


@pytest.mark.parametrize("excluded", [[], ["PLAIN"]])
async def test_auth_plain_and_login(excluded: list[str], tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with peer(tls=server, auth_required=True, auth_exclude_mechanism=excluded) as (port, _):
        await deliver(port, tls="required", ssl_context=client, username="alice", password="correct horse")
        with pytest.raises(SmtpConnectError) as caught:
            await deliver(port, tls="required", ssl_context=client, username="alice", password="wrong")
        assert (caught.value.stage, caught.value.code, caught.value.permanent) == (Stage.AUTH, 535, True)


async def test_a_password_is_not_sent_in_clear_unless_the_operator_said_so() -> None:
    async with peer(auth_require_tls=False) as (port, _):
        with pytest.raises(SmtpConnectError) as caught:
            await deliver(port, tls="opportunistic", username="alice", password="correct horse")
        assert (caught.value.stage, caught.value.permanent) == (Stage.AUTH, True)
        await deliver(port, tls="none", username="alice", password="correct horse")


class Keeper(SessionHooks):
    """Keeps messages with the peer they came from."""

    kept: list[bytes] = []

    def on_message(self, envelope: object, raw: bytes) -> None:
        self.kept.append(raw)


async def test_our_own_server_speaks_starttls_with_pipelining(tmp_path: Path) -> None:
    server_context, client = contexts(tmp_path)
    Keeper.kept = []
    server = await serve(host="127.0.0.1", port=0, hooks=Keeper, ssl_context=server_context)
    await deliver(server.port, tls="required", ssl_context=client)
    assert Keeper.kept == [MESSAGE] * 3
    await server.close()


async def test_commands_behind_starttls_are_not_obeyed(tmp_path: Path) -> None:
    server_context, _ = contexts(tmp_path)
    server = await serve(host="127.0.0.1", port=0, hooks=Keeper, ssl_context=server_context)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"EHLO me\r\nSTARTTLS\r\nMAIL FROM:<evil@x.test>\r\n")
    text = await reader.read()
    assert b"421 4.7.0 no commands may follow STARTTLS" in text
    writer.close()
    await server.close()


@pytest.mark.parametrize(
    "scenario",
    [
        test_opportunistic_does_not_check_the_certificate_and_required_does,
        test_implicit_tls,
        test_our_own_server_speaks_starttls_with_pipelining,
        test_commands_behind_starttls_are_not_obeyed,
    ],
)
def test_the_same_on_uvloop(scenario: Callable[[Path], Coroutine[None, None, None]], tmp_path: Path) -> None:
    uvloop.run(scenario(tmp_path))


async def test_a_size_of_five_thousand_digits_is_none() -> None:
    async def boast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 big\r\n")
        await reader.readline()
        writer.write(b"250-big\r\n250 SIZE " + b"9" * 5000 + b"\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(boast, "127.0.0.1", 0)
    connection = await connect("127.0.0.1", server.sockets[0].getsockname()[1], tls="none")
    assert connection.offer.size_max_bytes == 0
    connection.abort()
    server.close()
