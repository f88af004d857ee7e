"""Try a relay as the sender would use it, without sending anything: what happened, in a sentence, and what to do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from standfast.components.delivery.connecting import HostRefused, connect_way
from standfast.components.delivery.routes import Way
from standfast.protocols.smtp_client import Connection, SmtpConnectError, Stage, Timeouts

SECONDS_MAX = 20.0
TIMEOUTS = Timeouts(greeting_seconds=10, command_seconds=10)

_WHAT = {
    Stage.CONNECT: "The host could not be reached.",
    Stage.GREETING: "The host answered, but not as a mail server that takes us.",
    Stage.EHLO: "The mail server refused our greeting.",
    Stage.STARTTLS: "The mail server did not start TLS.",
    Stage.TLS: "No trustworthy TLS connection came about.",
    Stage.AUTH: "The mail server did not take the user and password.",
}
_REMEDY = {
    Stage.CONNECT: "Check host and port: 587 with STARTTLS and 465 with TLS from the first byte are usual. "
    "Many networks block port 25.",
    Stage.GREETING: "Check the port. Port 465 speaks TLS from the first byte; 25 and 587 do not.",
    Stage.EHLO: "Ask the provider whether your server's address may use it.",
    Stage.STARTTLS: "Try TLS from the first byte on port 465, or ask the provider.",
    Stage.TLS: "Check that the host is the name in the server's certificate.",
    Stage.AUTH: "Check them at the provider. Some want an API key or an app password here.",
}


@dataclass(frozen=True)
class Probe:
    """How the attempt went; `said` is the server's own text, or the network's."""

    ok: bool
    what: str
    remedy: str = ""
    said: str = ""


async def probe(way: Way, *, ehlo_name: str = "localhost") -> Probe:
    """Connect, greet, encrypt and sign in, then leave. Takes at most some 20 seconds."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return await _probe(way, ehlo_name)
    except TimeoutError:
        return Probe(False, "The mail server is too slow.", "Try again later, or ask the provider.")
    except HostRefused as error:
        return Probe(False, "Standfast does not connect to this host.", error.text)
    except SmtpConnectError as error:
        said = f"{error.code or ''} {error.text}".strip()
        return Probe(False, _WHAT.get(error.stage, "It did not work."), _REMEDY.get(error.stage, ""), said)


async def _probe(way: Way, ehlo_name: str) -> Probe:
    connection = await connect_way(way, ehlo_name=ehlo_name, connect_timeout_seconds=8, timeouts=TIMEOUTS)
    found = _found(way, connection)
    await connection.quit()
    return found


def _found(way: Way, connection: Connection) -> Probe:
    parts = ["encrypted" if connection.encrypted else "not encrypted"]
    if way.username:
        parts.append(f"signed in as {way.username}")
    remedy = "" if connection.encrypted or way.tls == "none" else "Without TLS others on the way can read the mail."
    offers = ", ".join(sorted(connection.extensions))
    return Probe(True, f"Connected to {way.host}, {', '.join(parts)}.", remedy, f"Offers {offers}" if offers else "")
