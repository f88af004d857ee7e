"""Connections to hosts that a user named: resolved once, and never into the installation's own network.

Who connects uses the address that was checked here, not the name again: a name may answer differently the second time
(DNS rebinding). Certificates are still compared with the name.
"""

from __future__ import annotations

import asyncio
import os
import socket

from standfast.platform import config
from standfast.protocols.public_address import is_public

RESOLVE_SECONDS_MAX = 5.0
ALLOW_PRIVATE = "STANDFAST_ALLOW_PRIVATE"


class OutboundRefused(OSError):
    """Nothing was connected to. The text says why; `permanent` that asking again will not help."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.text = text
        self.permanent = permanent


async def addresses(host: str, port: int) -> list[str]:
    """The IP addresses of a host that may be connected to, in the resolver's order; at least one.

    The bundled inbox is always allowed; private addresses only with STANDFAST_ALLOW_PRIVATE=1. Raises OutboundRefused.
    """
    found = await _resolve(host, port)
    if _is_inbox(host, port) or os.environ.get(ALLOW_PRIVATE) == "1":
        return found
    public = [address for address in found if is_public(address)]
    if not public:
        raise OutboundRefused(
            f"{host if host == found[0] else f'{host} ({found[0]})'} is inside a private network. "
            f"Whoever runs this installation may allow that with {ALLOW_PRIVATE}=1.",
            permanent=True,
        )
    return public


def _is_inbox(host: str, port: int) -> bool:
    settings = config.load()
    return host == settings.host and port == settings.inbox_port


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS_MAX):
            answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        text = f"the name servers did not answer for {host} within {RESOLVE_SECONDS_MAX:g} s"
        raise OutboundRefused(text, permanent=False) from error
    except (OSError, UnicodeError) as error:
        unknown = isinstance(error, UnicodeError) or (
            isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
        )
        text = f"there is no host {host}" if unknown else f"{host} could not be looked up: {error}"
        raise OutboundRefused(text, permanent=False) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))
