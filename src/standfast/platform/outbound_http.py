"""HTTP to hosts that a user named, with names through the guard of platform.outbound.

Apart from it because aiohttp takes a tenth of a second to load, in each process: import this where something is fetched.
"""

from __future__ import annotations

import socket

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from standfast.platform import outbound


def open_session(*, connections: int, seconds: float | None = None, keep_alive: bool = True) -> ClientSession:
    """Within a running event loop. `seconds`: for a whole request; without it the caller limits the time itself."""
    connector = TCPConnector(
        limit=connections, resolver=_PublicResolver(), use_dns_cache=False, force_close=not keep_alive
    )
    return ClientSession(connector=connector, timeout=ClientTimeout(total=seconds), trust_env=False)


class _PublicResolver(AbstractResolver):
    """What is connected to is what was checked."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=port, flags=socket.AI_NUMERICHOST, proto=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in await outbound.addresses(host, port)
        ]  # fmt: skip

    async def close(self) -> None:
        """Holds nothing."""
