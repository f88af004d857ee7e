"""The authoritative change by RFC 2136 (dynamic update) with TSIG (RFC 8945), fenced by a prerequisite on the generation.

One message: "if the TXT set at _gen.<record> is exactly what was read, then put these addresses and this generation there".
The server applies all of it or nothing (RFC 2136, 3.2 and 3.4), so a name never loses its addresses on the way.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone

from standfast.operations.failover.authority import (
    GENERATION_LABEL,
    Changed,
    Fenced,
    Generation,
    Refused,
    Standing,
    Unreachable,
    checked_addresses,
)
from standfast.operations.map import Map, Pool, Provider

READ_SECONDS = 1.4  # a lost packet costs TCP one second, and so may our own disk
CHANGE_SECONDS = 1.5  # Knot 3.2 may put an update that comes close after another off for a second
LIST_SECONDS = 0.9


class KeyUnreadable(Exception):
    """A provider's key file cannot be used; the text says which and why."""


class Rfc2136Authority:
    """A provider of the map, spoken to over TCP: a refused connection shows at once, and an answer is never cut short."""

    def __init__(self, provider: Provider, secret: str) -> None:
        """Raises KeyUnreadable when the secret is not base64."""
        self.provider = provider
        try:
            self.keyring = dns.tsigkeyring.from_text({provider.key_name: secret})
        except ValueError as error:
            raise KeyUnreadable(f"{provider.id}: the key {provider.key_name} is not base64: {error}") from error

    @property
    def id(self) -> str:
        return self.provider.id

    @property
    def zone(self) -> str:
        return self.provider.zone

    async def read(self, pool: Pool) -> Standing | Refused | Unreachable:
        """Both questions at once, straight to the primary."""
        answers = await asyncio.gather(
            self._ask(pool.record, pool.type), self._ask(f"{GENERATION_LABEL}.{pool.record}", "TXT")
        )
        for answer in answers:
            if not isinstance(answer, dns.rrset.RRset | None):
                return answer
        addresses, fence = answers
        assert isinstance(addresses, dns.rrset.RRset | None)
        assert isinstance(fence, dns.rrset.RRset | None)
        return Standing(
            addresses=tuple(sorted(item.to_text() for item in addresses)) if addresses is not None else (),
            ttl=addresses.ttl if addresses is not None else 0,
            fence=tuple(sorted(b"".join(item.strings).decode("utf-8", "replace") for item in fence)) if fence else (),
        )

    async def replace(
        self, pool: Pool, addresses: tuple[str, ...], *, generation: Generation, seen: Standing
    ) -> Changed | Fenced | Refused | Unreachable:
        message = self.message(pool, addresses, generation=generation, seen=seen)
        answer = await self._send(message, seconds=CHANGE_SECONDS)
        if not isinstance(answer, dns.message.Message):
            return answer
        if answer.rcode() == dns.rcode.NOERROR:
            return Changed()
        # A set that differs is NXRRSET, one that is gone NXRRSET or NXDOMAIN, one that should not be there YXRRSET.
        if answer.rcode() in (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN):
            return Fenced()
        return Refused(f"{self.id} answered {dns.rcode.to_text(answer.rcode())} to the change of {pool.record}")

    def message(
        self, pool: Pool, addresses: tuple[str, ...], *, generation: Generation, seen: Standing
    ) -> dns.update.UpdateMessage:
        """The update message. Raises EmptySet for no addresses, ValueError for one that is not of the pool's type."""
        for address in checked_addresses(pool, addresses):
            if ipaddress.ip_address(address).version != (4 if pool.type == "A" else 6):
                raise ValueError(f"{address} cannot stand in an {pool.type} record ({pool.record})")
        fence = dns.name.from_text(f"{GENERATION_LABEL}.{pool.record}")
        record = dns.name.from_text(pool.record)
        message = dns.update.UpdateMessage(
            self.provider.zone, keyring=self.keyring, keyalgorithm=dns.name.from_text(self.provider.key_algorithm)
        )
        if seen.fence:
            message.present(
                fence, dns.rrset.from_text_list(fence, 0, "IN", "TXT", [_quoted(text) for text in seen.fence])
            )
        else:
            message.absent(fence, "TXT")
        # An alias at the name would make the server ignore addresses without a word (RFC 2136, 3.4.2.2).
        message.delete(record, "CNAME")
        message.replace(record, dns.rrset.from_text_list(record, pool.ttl, "IN", pool.type, list(addresses)))
        message.replace(fence, pool.ttl, "TXT", _quoted(generation.text))
        return message

    async def names(self) -> Mapping[tuple[str, str], tuple[str, ...]] | Refused | Unreachable:
        zone = dns.zone.Zone(self.provider.zone, relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=self.keyring, keyalgorithm=self.provider.key_algorithm)
        try:
            async with asyncio.timeout(LIST_SECONDS):
                await dns.asyncquery.inbound_xfr(
                    self.provider.server, zone, query, port=self.provider.port, timeout=LIST_SECONDS
                )
        except (dns.xfr.TransferError, dns.tsig.PeerError, dns.tsig.BadTime) as error:
            return Refused(f"{self.id} does not give its zone: {error}")
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError) as error:
            return Unreachable(f"{self.id} does not give its zone: {_shown(error)}")
        return {
            (name.to_text(), dns.rdatatype.to_text(rdataset.rdtype)): tuple(sorted(item.to_text() for item in rdataset))
            for name, rdataset in zone.iterate_rdatasets()
        }

    async def _ask(self, name: str, kind: str) -> dns.rrset.RRset | Refused | Unreachable | None:
        query = dns.message.make_query(name, kind, flags=0)
        query.use_tsig(self.keyring, algorithm=dns.name.from_text(self.provider.key_algorithm))
        answer = await self._send(query, seconds=READ_SECONDS)
        if not isinstance(answer, dns.message.Message):
            return answer
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return Refused(f"{self.id} answered {dns.rcode.to_text(answer.rcode())} when asked for {name} {kind}")
        return answer.get_rrset(
            answer.answer, dns.name.from_text(name), dns.rdataclass.IN, dns.rdatatype.from_text(kind)
        )

    async def _send(
        self, message: dns.message.Message, *, seconds: float
    ) -> dns.message.Message | Refused | Unreachable:
        try:
            async with asyncio.timeout(seconds):
                return await dns.asyncquery.tcp(message, self.provider.server, port=self.provider.port, timeout=seconds)
        except (dns.tsig.PeerError, dns.tsig.BadTime, dns.tsig.BadSignature, dns.tsig.BadKey) as error:
            return Refused(f"{self.id} does not accept the key {self.provider.key_name}: {_shown(error)}")
        except dns.message.UnknownTSIGKey as error:
            return Refused(f"{self.id} signed with another key than {self.provider.key_name}: {_shown(error)}")
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError) as error:
            return Unreachable(f"{self.id} at {self.provider.server}:{self.provider.port}: {_shown(error)}")


def authorities(the_map: Map) -> list[Rfc2136Authority]:
    """Every provider of the map, in its order. Raises KeyUnreadable."""
    return [Rfc2136Authority(provider, secret(the_map.file(provider.key_file))) for provider in the_map.providers]


def secret(path: Path) -> str:
    """The base64 secret that stands alone in a file. Raises KeyUnreadable."""
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnreadable(f"the key file {path} cannot be read: {error}") from error
    if not text:
        raise KeyUnreadable(f"the key file {path} is empty")
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shown(error: BaseException) -> str:
    return str(error) or type(error).__name__
