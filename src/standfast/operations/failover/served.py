"""What parents, edges and certificates answer, against what is declared. Each look gives differences or raises Unreadable."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC

import aiohttp
import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from standfast.operations.failover.declared import Certificate, Delegation, Edge

LOOK_SECONDS = 3.0


class Unreadable(Exception):
    """It did not answer; the text is the same for the same fault."""


@dataclass(frozen=True, slots=True)
class Other:
    """One thing that is not as declared."""

    subject: str
    before: tuple[str, ...]
    after: tuple[str, ...]


async def delegation(given: Delegation) -> list[Other]:
    """The NS set that the parent's server refers to, or answers when it serves the zone itself."""
    query = dns.message.make_query(given.zone, "NS", flags=0)
    try:
        answer = await dns.asyncquery.tcp(query, given.server, port=given.port, timeout=LOOK_SECONDS)
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise Unreadable(_shown(error)) from error
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise Unreadable(dns.rcode.to_text(answer.rcode()))
    zone = dns.name.from_text(given.zone)
    found = tuple(
        sorted(
            {
                item.target.to_text().lower()
                for rrset in (*answer.answer, *answer.authority)
                if rrset.name == zone and rrset.rdtype == dns.rdatatype.NS
                for item in rrset
            }
        )
    )
    wanted = tuple(sorted({name.lower() for name in given.nameservers}))
    return [] if found == wanted else [Other(f"delegation of {given.zone} at the parent", wanted, found)]


async def certificate(given: Certificate) -> list[Other]:
    """Key, issuer and expiry of the leaf that is served; whether it is trusted is the monitor's to judge."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, writer = await asyncio.open_connection(
                given.host, given.port, ssl=context, server_hostname=given.server_name
            )
            raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
    except (OSError, TimeoutError, EOFError) as error:
        raise Unreadable(_shown(error)) from error
    leaf = x509.load_der_x509_certificate(raw)
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    spki, issuer = hashlib.sha256(key).hexdigest(), leaf.issuer.rfc4514_string()
    expiry = leaf.not_valid_after_utc.astimezone(UTC)
    name = f"certificate of {given.server_name}"
    found = []
    if given.spki_sha256 and spki not in {one.lower() for one in given.spki_sha256}:
        found.append(Other(f"{name}: key", given.spki_sha256, (spki,)))
    if given.issuer and issuer != given.issuer:
        found.append(Other(f"{name}: issuer", (given.issuer,), (issuer,)))
    if given.not_after is not None and expiry != given.not_after:
        found.append(Other(f"{name}: valid until", (given.not_after.isoformat(),), (expiry.isoformat(),)))
    return found


async def edge(given: Edge) -> list[Other]:
    """Status and the chosen headers of one GET; redirects are answers, not followed."""
    headers = {"Host": given.host} if given.host else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LOOK_SECONDS)) as session,
            session.get(given.url, headers=headers, allow_redirects=False, ssl=False) as answer,
        ):
            status, answered = answer.status, answer.headers
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreadable(_shown(error)) from error
    where = f"{given.host or given.url} at {given.url}" if given.host else given.url
    found = []
    if status != given.status:
        found.append(Other(f"status of {where}", (str(given.status),), (str(status),)))
    for name, wanted in given.headers.items():
        values = tuple(answered.getall(name, []))
        if values != (wanted,):
            found.append(Other(f"header {name} of {where}", (wanted,), values))
    return found


def _shown(error: BaseException) -> str:
    """The same words for the same fault."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError | dns.exception.Timeout):
        return "no answer in time"
    if (
        isinstance(error, ConnectionRefusedError)
        or "refused" in str(error).lower()
        or "Connect call failed" in str(error)
    ):
        return "connection refused"
    return type(error).__name__
