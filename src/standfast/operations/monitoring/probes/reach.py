"""Reach a target: where to connect, through which resolver, with or without TLS; and the check of what it presents.

Keys that the kinds tcp, tls, smtp and ftp share: host (name or address), port, address (connect there instead of
resolving host), resolver. Keys of TLS, wherever it is spoken: see `Trust`.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

from standfast.operations.monitoring.probes.datagram import ask
from standfast.operations.monitoring.probes.failure import Bad
from standfast.operations.monitoring.report import Reason

LINE_MAX = 8192  # a greeting, a header: nobody's is longer

SHUTDOWN_SECONDS = 0.5  # asyncio keeps a TLS connection that was given up for 30 s: too many at a probe every 2 s

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Target(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    address: str = ""
    resolver: str = ""


class Trust(BaseModel):
    """What a certificate must be.

    server_name  the name it must be for; the host when not given
    verify       true: the chain must lead to an authority of the machine, or of ca_file
    ca_file      PEM file of the authorities instead of the machine's
    issuer       text that the issuer must contain, e.g. "O=Let's Encrypt"
    days_min     it must be good for so many days more (0)
    pins         SHA-256 of public keys (SubjectPublicKeyInfo, hex), one of which it must have (RFC 7469's measure)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server_name: str = ""
    verify: bool = True
    ca_file: str = ""
    issuer: str = ""
    days_min: float = 0
    pins: tuple[str, ...] = ()


@asynccontextmanager
async def connected(target: Target, *, context: ssl.SSLContext | None = None, name: str = "") -> AsyncIterator[Stream]:
    """A connection, gone at the end without waiting for the peer. With a context TLS is spoken, as `name`."""
    address = target.address or await resolve(target.host, target.resolver)
    secure: dict[str, Any] = {}
    if context is not None:
        secure = {"ssl": context, "server_hostname": name, "ssl_shutdown_timeout": SHUTDOWN_SECONDS}
    reader, writer = await asyncio.open_connection(address, target.port, limit=LINE_MAX, **secure)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def resolve(host: str, resolver: str) -> str:
    """An address of the host, asked for anew. Raises Bad (unresolved)."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    if host == "localhost":
        return "127.0.0.1"
    try:
        if not resolver:
            found = await dns.asyncresolver.Resolver().resolve(host, "A", search=False)
            return next(iter(found)).to_text()
        address, _, port = resolver.rpartition(":") if resolver.count(":") == 1 else (resolver, "", "53")
        answer = await ask(dns.message.make_query(host, "A"), address=address, port=int(port))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise Bad(Reason.UNRESOLVED, f"{host} does not resolve: {error or type(error).__name__}") from error
    for records in answer.answer:
        if records.rdtype == dns.rdatatype.A:
            return records[0].to_text()
    raise Bad(Reason.UNRESOLVED, f"{host} does not resolve: {dns.rcode.to_text(answer.rcode())} without an address")


def ready_context(trust: Trust) -> ssl.SSLContext:
    """The client's side of TLS. A file that cannot be read is the fault of the check and not of its target: Bad."""
    try:
        return _context(trust.verify, trust.ca_file)
    except OSError as error:
        raise Bad(Reason.MISCONFIGURED, f"spec.ca_file {trust.ca_file!r} cannot be used: {error}") from error


@functools.lru_cache(maxsize=256)  # reading the machine's authorities takes some 20 ms
def _context(verify: bool, ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def examine(writer: asyncio.StreamWriter, trust: Trust, name: str) -> tuple[str, ...]:
    """Hold the presented certificate against `trust`. Returns (subject key digest, issuer, end date); raises Bad."""
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    if not der:
        raise Bad(Reason.TLS_OTHER, "no certificate was presented")
    certificate = x509.load_der_x509_certificate(der)
    issuer = certificate.issuer.rfc4514_string()
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin, ends = hashlib.sha256(public).hexdigest(), certificate.not_valid_after_utc
    seen = (pin, issuer, ends.date().isoformat())
    now = datetime.now(UTC)  # certificates are good by the wall clock, as for every client
    if now > ends or now < certificate.not_valid_before_utc:
        raise Bad(Reason.TLS_EXPIRED, f"certificate is good from {certificate.not_valid_before_utc} to {ends}", seen)
    if now + timedelta(days=trust.days_min) > ends:
        raise Bad(Reason.TLS_EXPIRED, f"certificate ends {ends}, in less than {trust.days_min:g} days", seen)
    if not trust.verify and not _is_for(certificate, name):
        raise Bad(Reason.TLS_NAME, f"certificate is not for {name}", seen)
    if trust.issuer and trust.issuer not in issuer:
        raise Bad(Reason.TLS_ISSUER, f"certificate is of {issuer}, not of {trust.issuer}", seen)
    if trust.pins and pin not in {one.lower().replace(":", "") for one in trust.pins}:
        raise Bad(Reason.TLS_PIN, f"public key {pin} is none of the pinned ones", seen)
    return seen


def _is_for(certificate: x509.Certificate, name: str) -> bool:
    """Whether one of the alternative names is this one; a wildcard stands for one label (RFC 9525 section 6.3)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    own, parent = name.lower().rstrip("."), name.lower().rstrip(".").partition(".")[2]
    given = [one.lower() for one in names.get_values_for_type(x509.DNSName)]
    return own in given or name in addresses or ("." in parent and f"*.{parent}" in given)
