"""Replies of SMTP and FTP, which look the same: three digits, a hyphen while more lines follow (RFC 5321 4.2, RFC 959 4.2)."""

from __future__ import annotations

import asyncio

from standfast.operations.monitoring.probes.failure import Bad
from standfast.operations.monitoring.report import Reason

LINES_MAX = 100


async def reply(reader: asyncio.StreamReader, *, code: int, of: str) -> list[str]:
    """The lines of one reply without their codes; raises Bad when it is another code or no reply at all."""
    lines: list[str] = []
    while len(lines) < LINES_MAX:
        try:
            raw = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise Bad(Reason.GREETING, f"{of}: the connection was closed: {_shown(error.partial)}") from error
        except asyncio.LimitOverrunError as error:
            raise Bad(Reason.PROTOCOL, f"{of}: a line without an end") from error
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if not (line[:3].isdigit() and line[3:4] in ("", " ", "-")):
            if lines and of == "greeting":
                lines.append(line)  # FTP: lines between the first and the last need no code
                continue
            raise Bad(Reason.PROTOCOL, f"{of}: not a reply: {line[:80]}")
        if line[3:4] != "-" and int(line[:3]) != code:
            raise Bad(Reason.GREETING, f"{of}: {line[:200]} instead of {code}")
        lines.append(line[4:])
        if line[3:4] != "-":
            return lines
    raise Bad(Reason.PROTOCOL, f"{of}: a reply without an end")


def _shown(data: bytes) -> str:
    return data[:80].decode(errors="replace") or "nothing was said"
