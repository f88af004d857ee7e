"""FTP: a 220 greeting (RFC 959 section 5.4).

spec: host, port (21), address, resolver   as for tcp
      contains                             text that the greeting must hold
"""

from __future__ import annotations

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.failure import Bad, Good
from standfast.operations.monitoring.probes.greeting import reply
from standfast.operations.monitoring.probes.reach import Target, connected
from standfast.operations.monitoring.report import Reason


class Spec(Target):
    port: int = 21
    contains: str = ""


async def look(check: Check) -> Good:
    """Hear the greeting and leave. Raises Bad, OSError, ValidationError."""
    spec = Spec.model_validate(check.spec)
    async with connected(spec) as (reader, writer):
        greeting = await reply(reader, code=220, of="greeting")
        writer.write(b"QUIT\r\n")
    if spec.contains not in " ".join(greeting):
        raise Bad(Reason.GREETING, f"greeting lacks {spec.contains!r}: {greeting[0][:120]}")
    return Good(f"220 {greeting[-1]}", (greeting[0][:80],))
