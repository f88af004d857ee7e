"""Open an SMTP session on an account's way out, at an address that was checked first (see platform.outbound)."""

from __future__ import annotations

from standfast.components.delivery.routes import Way
from standfast.platform import outbound
from standfast.protocols.smtp_client import Connection, SmtpConnectError, Stage, Timeouts, connect


class HostRefused(SmtpConnectError):
    """The way leads where this installation does not connect to; `text` says why."""


async def connect_way(
    way: Way, *, ehlo_name: str, connect_timeout_seconds: float, timeouts: Timeouts | None = None
) -> Connection:
    """A session that is ready for mail, like smtp_client.connect. Each address of the host is tried once while the network
    itself fails: a host may have an IPv6 address where we have no way to one. Raises SmtpConnectError."""
    try:
        found = await outbound.addresses(way.host, way.port)
    except outbound.OutboundRefused as error:
        kind = HostRefused if error.permanent else SmtpConnectError
        raise kind(stage=Stage.CONNECT, code=0, text=error.text, permanent=error.permanent) from error
    for number, address in enumerate(found, 1):
        try:
            return await connect(
                address, way.port, tls=way.tls, username=way.username, password=way.password, ehlo_name=ehlo_name,
                server_name=way.host, connect_timeout_seconds=connect_timeout_seconds, timeouts=timeouts,
            )  # fmt: skip
        except SmtpConnectError as error:
            if error.stage is not Stage.CONNECT or number == len(found):
                raise
    raise AssertionError("outbound.addresses gives at least one")
