"""The probes: one look at a target from here, ended within the check's time and never an exception, whatever the peer does.

Each kind has a module of its name; the keys of a check's `spec` are in its docstring. Addresses are taken as they are;
names are resolved without any cache, through `resolver` ("address" or "address:port") when the spec gives one and
through the machine's name servers when not, so that a probe sees what a client without a cache would see.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from standfast.operations.clock import Clock
from standfast.operations.map import Check
from standfast.operations.monitoring.probes import dns, ftp, http, smtp, tcp, tls
from standfast.operations.monitoring.probes.failure import Bad, Good, of_error
from standfast.operations.monitoring.report import Outcome, Reason

DETAIL_MAX = 300

_KINDS: dict[str, Callable[[Check], Awaitable[Good]]] = {
    "dns": dns.look,
    "ftp": ftp.look,
    "http": http.look,
    "smtp": smtp.look,
    "tcp": tcp.look,
    "tls": tls.look,
}


async def probe(check: Check, clock: Clock) -> Outcome:
    """Look once. Ends within check.timeout_seconds; raises nothing but its own task's cancellation."""
    begun = clock.monotonic()
    reason, seen = Reason.GOOD, tuple[str, ...]()
    try:
        async with asyncio.timeout(check.timeout_seconds):
            good = await _KINDS[check.kind](check)
        detail, seen = good.detail, good.seen
    except Bad as bad:
        reason, detail, seen = bad.reason, bad.detail, bad.seen
    except TimeoutError:
        reason, detail = Reason.TIMEOUT, f"nothing, or not everything, within {check.timeout_seconds:g} s"
    except ValidationError as error:
        reason, detail = (
            Reason.MISCONFIGURED,
            "; ".join(f"spec.{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()),
        )
    except OSError as error:
        reason, detail = of_error(error)
    except Exception as error:  # a peer may send anything: whatever a parser makes of it is an outcome
        reason, detail = Reason.PROTOCOL, f"{type(error).__name__}: {error}"
    return Outcome(check.id, reason, one_line(detail), round((clock.monotonic() - begun) * 1000, 1), seen)


def one_line(text: str) -> str:
    """Text of a peer, fit to be logged and shown: printable, one line, short."""
    text = re.sub(r"\s+", " ", text)
    return "".join(character if character.isprintable() else "?" for character in text)[:DETAIL_MAX].strip()
