"""Open an SMTP session: TCP, greeting, EHLO, STARTTLS or implicit TLS, AUTH. What follows is `Connection`.

    connection = await connect("127.0.0.1", 8025, ehlo_name="mail.example.org")
    outcome = await connection.submit("b-token@bounce.example.org", "alice@example.net", message, journal.dot)
    await connection.quit()

RFC 5321, RFC 3207 (STARTTLS), RFC 8314 (implicit TLS), RFC 4954 (AUTH), RFC 2920 (PIPELINING).
"""

from __future__ import annotations

import asyncio
import base64
import functools
import ssl
from enum import StrEnum

from .smtp_connection import Connection
from .smtp_outcome import (
    Accepted,
    Deferred,
    Outcome,
    Refused,
    Reply,
    SmtpConnectError,
    Stage,
    Timeouts,
    Uncertain,
    split_enhanced,
)

__all__ = [
    "Accepted",
    "Connection",
    "Deferred",
    "Outcome",
    "Refused",
    "Reply",
    "SmtpConnectError",
    "Stage",
    "Timeouts",
    "TlsMode",
    "Uncertain",
    "connect",
    "split_enhanced",
]


class TlsMode(StrEnum):
    """How much encryption a session needs."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where offered, certificate not checked (RFC 7435)
    REQUIRED = "required"  # STARTTLS with a valid certificate, or no session
    IMPLICIT = "implicit"  # TLS from the first byte, valid certificate


class _HandshakeFailed(Exception):
    """STARTTLS was agreed but TLS did not come about: an opportunistic caller may try once more in clear."""


async def connect(
    host: str,
    port: int,
    *,
    tls: TlsMode | str = TlsMode.OPPORTUNISTIC,
    username: str = "",
    password: str = "",
    ehlo_name: str = "localhost",
    ssl_context: ssl.SSLContext | None = None,
    server_name: str | None = None,
    connect_timeout_seconds: float = 30,
    timeouts: Timeouts | None = None,
    local_address: str | None = None,
) -> Connection:
    """Open a session that is ready for mail. Close it with `quit()` or `abort()`.

    ssl_context replaces the default for the mode (system authorities; none checked when opportunistic). server_name is
    the name in the certificate, by default the host. ehlo_name is ours, a host name or an address literal. With a
    username, credentials are sent only over TLS, or with tls="none", which the operator chose.

    Raises SmtpConnectError(stage, code, text, permanent).
    """
    mode = TlsMode(tls)
    if not (ehlo_name.isascii() and ehlo_name.isprintable() and ehlo_name and " " not in ehlo_name):
        raise ValueError(f"ehlo_name must be a host name or address literal, not {ehlo_name!r}")
    opening = _Opening(
        host=host,
        port=port,
        ehlo_name=ehlo_name,
        context=ssl_context or _default_context(mode),
        server_name=server_name or host,
        connect_timeout_seconds=connect_timeout_seconds,
        timeouts=timeouts or Timeouts(),
        local_address=local_address,
    )
    try:
        connection = await opening.open(mode)
    except _HandshakeFailed as error:
        if mode is not TlsMode.OPPORTUNISTIC:
            permanent = isinstance(error.__cause__, ssl.SSLCertVerificationError)
            raise SmtpConnectError(stage=Stage.TLS, code=0, text=str(error), permanent=permanent) from error
        connection = await opening.open(TlsMode.NONE)
    if username:
        try:
            await _authenticate(connection, username, password, clear_allowed=mode is TlsMode.NONE)
        except BaseException:
            connection.abort("not authenticated")
            raise
    return connection


@functools.cache
def _default_context(mode: TlsMode) -> ssl.SSLContext | None:
    """One a mode for the process: reading the system's authorities takes some 25 ms, as long as a hundred messages."""
    if mode is TlsMode.NONE:
        return None
    if mode is TlsMode.OPPORTUNISTIC:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context()


class _Opening:
    """The settings of one attempt to connect."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ehlo_name: str,
        context: ssl.SSLContext | None,
        server_name: str,
        connect_timeout_seconds: float,
        timeouts: Timeouts,
        local_address: str | None,
    ) -> None:
        self.host = host
        self.port = port
        self.ehlo_name = ehlo_name
        self.context = context
        self.server_name = server_name
        self.connect_timeout_seconds = connect_timeout_seconds
        self.timeouts = timeouts
        self.local_address = local_address

    async def open(self, mode: TlsMode) -> Connection:
        connection = await self._tcp(mode)
        stage = Stage.GREETING
        try:
            await self._greeting(connection)
            stage = Stage.EHLO
            await self._ehlo(connection)
            if mode in (TlsMode.OPPORTUNISTIC, TlsMode.REQUIRED):
                stage = Stage.STARTTLS
                await self._starttls(connection, required=mode is TlsMode.REQUIRED)
        except ConnectionError as error:
            raise SmtpConnectError(stage=stage, code=0, text=str(error), permanent=False) from error
        except BaseException:
            connection.abort("the session did not come about")
            raise
        return connection

    async def _tcp(self, mode: TlsMode) -> Connection:
        loop = asyncio.get_running_loop()
        implicit = mode is TlsMode.IMPLICIT
        try:
            async with asyncio.timeout(self.connect_timeout_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(timeouts=self.timeouts),
                    self.host,
                    self.port,
                    ssl=self.context if implicit else None,
                    server_hostname=self.server_name if implicit else None,
                    local_addr=(self.local_address, 0) if self.local_address else None,
                )
        except ssl.SSLError as error:
            permanent = isinstance(error, ssl.SSLCertVerificationError)
            raise SmtpConnectError(stage=Stage.TLS, code=0, text=str(error), permanent=permanent) from error
        except TimeoutError as error:
            text = f"{self.host}:{self.port} did not answer within {self.connect_timeout_seconds:g} s"
            raise SmtpConnectError(stage=Stage.CONNECT, code=0, text=text, permanent=False) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one
            text = f"{self.host}:{self.port}: {error}"
            permanent = isinstance(error, UnicodeError)
            raise SmtpConnectError(stage=Stage.CONNECT, code=0, text=text, permanent=permanent) from error
        connection.encrypted = implicit
        return connection

    async def _greeting(self, connection: Connection) -> None:
        reply = await connection.greeting
        if reply.code != 220:
            raise _refusal(Stage.GREETING, reply)

    async def _ehlo(self, connection: Connection) -> None:
        name = self.ehlo_name.encode("ascii")
        reply = await connection.command(b"EHLO " + name + b"\r\n")
        if reply.code == 250:
            connection.set_extensions(parse_extensions(reply.text))
            return
        if reply.code in (500, 501, 502, 504, 550):  # RFC 5321 section 3.2: an old server; go back to HELO
            reply = await connection.command(b"HELO " + name + b"\r\n")
            if reply.code == 250:
                connection.set_extensions({})
                return
        raise _refusal(Stage.EHLO, reply)

    async def _starttls(self, connection: Connection, *, required: bool) -> None:
        if "STARTTLS" not in connection.extensions:
            if required:
                text = "the server offers no STARTTLS, and this relay requires it"
                raise SmtpConnectError(stage=Stage.STARTTLS, code=0, text=text, permanent=True)
            return
        reply = await connection.command(b"STARTTLS\r\n")
        if reply.code != 220:
            if required:
                raise _refusal(Stage.STARTTLS, reply)
            return
        # Bytes that came in clear after the 220 would be believed as if encrypted (CVE-2011-0411 and its kin).
        if connection.unread_bytes or not connection.usable:
            text = "the server sent data in clear after it agreed to STARTTLS; somebody may be in between"
            raise SmtpConnectError(stage=Stage.STARTTLS, code=0, text=text, permanent=False)
        await self._upgrade(connection)
        await self._ehlo(connection)  # RFC 3207 section 4.2: what was learnt in clear is forgotten

    async def _upgrade(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        assert self.context is not None
        try:
            async with asyncio.timeout(self.connect_timeout_seconds):
                transport = await loop.start_tls(
                    connection.transport, connection, self.context, server_hostname=self.server_name
                )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise _HandshakeFailed(f"TLS failed: {error or 'no answer in time'}") from error
        if transport is None:
            raise _HandshakeFailed("TLS failed: the connection was lost")
        connection.connection_made(transport)
        connection.encrypted = True
        connection.set_extensions({})


def parse_extensions(text: str) -> dict[str, str]:
    """The EHLO reply's lines, without the greeting, as {"SIZE": "35882577", "AUTH": "PLAIN LOGIN", ...}."""
    extensions: dict[str, str] = {}
    for line in text.split("\n")[1:]:
        # Some old servers write AUTH=LOGIN beside AUTH LOGIN.
        keyword, _, parameters = line.strip().replace("AUTH=", "AUTH ", 1).partition(" ")
        if keyword:
            known = extensions.get(keyword.upper(), "")
            extensions[keyword.upper()] = f"{known} {parameters}".strip()
    return extensions


async def _authenticate(connection: Connection, username: str, password: str, *, clear_allowed: bool) -> None:
    if not connection.encrypted and not clear_allowed:
        text = "the server offered no TLS, and a password is not sent in clear; set TLS to none if that is wanted"
        raise SmtpConnectError(stage=Stage.AUTH, code=0, text=text, permanent=True)
    mechanisms = connection.extensions.get("AUTH", "").upper().split()
    user, secret = username.encode(), password.encode()
    try:
        if "PLAIN" in mechanisms:
            blob = base64.b64encode(b"\0" + user + b"\0" + secret)
            reply = await connection.command(b"AUTH PLAIN " + blob + b"\r\n")
            if reply.code == 334:  # the server ignores the initial response
                reply = await connection.command(blob + b"\r\n")
        elif "LOGIN" in mechanisms:
            reply = await connection.command(b"AUTH LOGIN\r\n")
            for answer in (user, secret):
                if reply.code == 334:
                    reply = await connection.command(base64.b64encode(answer) + b"\r\n")
        else:
            offered = " ".join(mechanisms) or "nothing"
            text = f"a username is set, but of PLAIN and LOGIN the server offers neither (it offers {offered})"
            raise SmtpConnectError(stage=Stage.AUTH, code=0, text=text, permanent=True)
    except ConnectionError as error:
        raise SmtpConnectError(stage=Stage.AUTH, code=0, text=str(error), permanent=False) from error
    if reply.code != 235:
        raise _refusal(Stage.AUTH, reply)


def _refusal(stage: Stage, reply: Reply) -> SmtpConnectError:
    return SmtpConnectError(stage=stage, code=reply.code, text=reply.text, permanent=500 <= reply.code < 600)
