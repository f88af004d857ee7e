"""SMTP: a 220 greeting and a good answer to EHLO; with starttls, TLS and the EHLO after it too (RFC 5321, RFC 3207).

spec: host, port (25), address, resolver   as for tcp
      ehlo       the name that we say we are ("monitor.invalid")
      contains   text that the greeting must hold
      starttls   false
      server_name, verify, ca_file, issuer, days_min, pins   for starttls: see `reach.Trust`
"""

from __future__ import annotations

from pydantic import Field

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.failure import Bad, Good
from standfast.operations.monitoring.probes.greeting import reply
from standfast.operations.monitoring.probes.reach import Stream, Target, Trust, connected, examine, ready_context
from standfast.operations.monitoring.report import Reason


class Spec(Target, Trust):
    port: int = 25
    ehlo: str = Field(default="monitor.invalid", pattern=r"^[!-~]+$")
    contains: str = ""
    starttls: bool = False


async def look(check: Check) -> Good:
    """Greet and leave. Raises Bad, OSError, ValidationError."""
    spec = Spec.model_validate(check.spec)
    async with connected(spec) as stream:
        reader, writer = stream
        greeting = await reply(reader, code=220, of="greeting")
        if spec.contains not in " ".join(greeting):
            raise Bad(Reason.GREETING, f"greeting lacks {spec.contains!r}: {greeting[0][:120]}")
        offered = await _ehlo(stream, spec.ehlo)
        seen: tuple[str, ...] = (greeting[0][:80],)
        if spec.starttls:
            seen += await _secured(stream, spec, offered)
        writer.write(b"QUIT\r\n")
    return Good(f"220 {greeting[0]}, EHLO accepted{' over TLS' if spec.starttls else ''}", seen)


async def _ehlo(stream: Stream, name: str) -> list[str]:
    reader, writer = stream
    writer.write(f"EHLO {name}\r\n".encode())
    return [line.upper() for line in await reply(reader, code=250, of="EHLO")]


async def _secured(stream: Stream, spec: Spec, offered: list[str]) -> tuple[str, ...]:
    reader, writer = stream
    if "STARTTLS" not in offered:
        raise Bad(Reason.TLS_OTHER, "STARTTLS is not offered")
    writer.write(b"STARTTLS\r\n")
    await reply(reader, code=220, of="STARTTLS")
    name = spec.server_name or spec.host
    await writer.start_tls(ready_context(spec), server_hostname=name)
    seen = examine(writer, spec, name)
    await _ehlo(stream, spec.ehlo)
    return seen
