"""The probes: one look at a target from here, ended within the check's time and never an exception, whatever the peer does.

Each kind has a module of its name; the keys of a check's `spec` are in its docstring. Addresses are taken as they are;
names are resolved without any cache, through `resolver` ("address" or "address:port") when the spec gives one and
through the machine's name servers when not, so that a probe sees what a client without a cache would see.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable

from pydantic import BaseModel, ValidationError

from standfast.operations.clock import Clock
from standfast.operations.map import Check
from standfast.operations.monitoring.probes import dns, ftp, http, smtp, tcp, tls
from standfast.operations.monitoring.probes.failure import Bad, Good, of_error
from standfast.operations.monitoring.probes.reach import Target
from standfast.operations.monitoring.report import Outcome, Reason

DETAIL_MAX = 300

_KINDS: dict[str, tuple[Callable[[Check], Awaitable[Good]], type[BaseModel]]] = {
    "dns": (dns.look, dns.Spec),
    "ftp": (ftp.look, ftp.Spec),
    "http": (http.look, http.Spec),
    "smtp": (smtp.look, smtp.Spec),
    "tcp": (tcp.look, Target),
    "tls": (tls.look, tls.Spec),
}


async def probe(check: Check, clock: Clock) -> Outcome:
    """Look once. Ends within check.timeout_seconds; raises nothing but its own task's cancellation."""
    begun = clock.monotonic()
    reason, seen = Reason.GOOD, tuple[str, ...]()
    try:
        async with asyncio.timeout(check.timeout_seconds):
            good = await _KINDS[check.kind][0](check)
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


def problems(checks: Iterable[Check]) -> list[str]:
    """What is wrong with the specs of these checks: to be said at start, since such a check never judges its target."""
    found = []
    for check in checks:
        try:
            _KINDS[check.kind][1].model_validate(check.spec)
        except ValidationError as error:
            found += [f"checks: {check.id}: {line}" for line in _shown(error)]
    return found


def _shown(error: ValidationError) -> list[str]:
    return [f"spec.{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]


def one_line(text: str) -> str:
    """Text of a peer, fit to be logged and shown: printable, one line, short."""
    text = re.sub(r"\s+", " ", text)
    return "".join(character if character.isprintable() else "?" for character in text)[:DETAIL_MAX].strip()
