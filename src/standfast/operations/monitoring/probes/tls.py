"""TLS: the handshake succeeds and the certificate is the right one.

spec: host, port (443), address, resolver                   as for tcp
      server_name, verify, ca_file, issuer, days_min, pins  see `reach.Trust`
"""

from __future__ import annotations

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.failure import Good
from standfast.operations.monitoring.probes.reach import Target, Trust, connected, examine, ready_context


class Spec(Target, Trust):
    port: int = 443


async def look(check: Check) -> Good:
    """Shake hands and examine. Raises Bad, OSError, ValidationError."""
    spec = Spec.model_validate(check.spec)
    name = spec.server_name or spec.host
    async with connected(spec, context=ready_context(spec), name=name) as (_, writer):
        seen = examine(writer, spec, name)
    return Good(f"{name}: certificate of {seen[1]} until {seen[2]}", seen)
