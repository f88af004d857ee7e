"""TCP: somebody accepts connections.

spec: host      name or address
      port      port
      address   connect there instead of resolving host
      resolver  "address" or "address:port" of the name server that resolves host
"""

from __future__ import annotations

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.failure import Good
from standfast.operations.monitoring.probes.reach import Target, connected


async def look(check: Check) -> Good:
    """Connect. Raises Bad, OSError, ValidationError."""
    target = Target.model_validate(check.spec)
    async with connected(target) as (_, writer):
        peer = writer.get_extra_info("peername")
    return Good(f"{target.host}:{target.port} accepts", (peer[0],))
