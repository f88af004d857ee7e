"""One provider's zone against the declared one: read by AXFR and compared by octoDNS, serial by a question of our own.

octoDNS blocks, so `look` is called in a thread. Its command exits 0 on drift; its Python API says what differs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from octodns.provider.yaml import YamlProvider
from octodns.record import Create, Delete, Record
from octodns.zone import Zone
from octodns_bind import AxfrSourceZoneTransferFailed, Rfc2136Provider

from standfast.operations.failover.authority import GENERATION_LABEL
from standfast.operations.failover.drift_log import Difference
from standfast.operations.map import Provider

READ_SECONDS = 3.0

for _name in ("Record", "Zone", "Plan"):  # octoDNS's loggers; what they warn of is compared anyway
    logging.getLogger(_name).setLevel(logging.ERROR)

Values = tuple[str, ...]


class DeclaredUnreadable(Exception):
    """The declared state itself cannot be read; the text names the file and the reason."""


class ZoneUnreadable(Exception):
    """The provider does not show its zone; the text says how it answered, the same for the same fault."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a provider shows: differences from the declared zone, the records under failover, the serial."""

    differences: tuple[Difference, ...]
    pools: Mapping[tuple[str, str], tuple[Values, int]]
    serial: int | None


def look(
    provider: Provider,
    secret: str,
    directory: Path,
    pools: frozenset[tuple[str, str]],
    *,
    timeout_seconds: float = READ_SECONDS,
) -> Seen:
    """Read and compare. `pools`: (name, type) of records under failover, given back instead of compared.

    Raises DeclaredUnreadable, ZoneUnreadable.
    """
    desired = _declared(provider.zone, directory)
    source = Rfc2136Provider(
        provider.id, provider.server, port=provider.port, timeout=timeout_seconds, key_name=provider.key_name,
        key_secret=secret, key_algorithm=provider.key_algorithm,
    )  # fmt: skip
    existing = Zone(provider.zone, [])
    try:
        source.populate(existing, target=True, lenient=True)
    except AxfrSourceZoneTransferFailed as error:
        raise ZoneUnreadable(_stable(error)) from error
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise ZoneUnreadable(_stable(error)) from error
    except Exception as error:  # octoDNS rejects records that it does not understand with many types of exception
        raise ZoneUnreadable(f"a record that octoDNS cannot read: {type(error).__name__}") from error
    generations = {(f"{GENERATION_LABEL}.{name}", "TXT") for name, _ in pools}
    differences = []
    for change in existing.changes(desired, source):
        key = (change.record.fqdn, change.record._type)
        if key in pools or key in generations or (key == (provider.zone, "NS") and desired.root_ns is None):
            continue
        differences.append(_difference(change, *key))
    found = {
        (record.fqdn, record._type): (_values(record), record.ttl)
        for record in existing.records
        if (record.fqdn, record._type) in pools
    }
    return Seen(tuple(differences), found, _serial(provider, timeout_seconds))


def declared_values(zone: str, directory: Path, name: str, kind: str) -> tuple[Values, int] | None:
    """A record as declared, with its TTL; None when it is not. Raises DeclaredUnreadable."""
    for record in _declared(zone, directory).records:
        if (record.fqdn, record._type) == (name, kind):
            return _values(record), record.ttl
    return None


def _declared(name: str, directory: Path) -> Zone:
    zone = Zone(name, [])
    try:
        YamlProvider("declared", str(directory), escaped_semicolons=False, enforce_order=False).populate(zone)
    except Exception as error:  # a file that is missing, not YAML, or not octoDNS's: many types of exception
        raise DeclaredUnreadable(f"the declared zone {name} in {directory} cannot be used: {error}") from error
    if not zone.records:
        raise DeclaredUnreadable(f"{directory} declares no records for the zone {name}")
    return zone


def _difference(change: Create | Delete | object, name: str, kind: str) -> Difference:
    """octoDNS plans from what exists to what is wanted; a provider's drift is the other direction."""
    existing: Record | None = getattr(change, "existing", None)
    wanted: Record | None = getattr(change, "new", None)
    return Difference(
        name,
        kind,
        before=_values(wanted) if wanted is not None else (),
        after=_values(existing) if existing is not None else (),
        before_ttl=wanted.ttl if wanted is not None else None,
        after_ttl=existing.ttl if existing is not None else None,
    )


def _values(record: Record) -> Values:
    return tuple(sorted(record.to_rrset().rdatas))


def _serial(provider: Provider, timeout_seconds: float) -> int | None:
    try:
        answer = dns.query.tcp(
            dns.message.make_query(provider.zone, "SOA"), provider.server, port=provider.port, timeout=timeout_seconds
        )
    except (dns.exception.DNSException, OSError, EOFError):
        return None
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.SOA:
            return int(rrset[0].serial)
    return None


def _stable(error: BaseException) -> str:
    """The same words for the same fault, so that it is told once: no ports, no times."""
    text = str(error)
    for sign, words in (
        ("refused", "connection refused"),
        ("REFUSED", "the transfer is refused"),
        ("NOTAUTH", "it no longer serves the zone"),
        ("timed out", "no answer in time"),
        ("Timeout", "no answer in time"),
        ("TSIG", "the key is not accepted"),
        ("peer", "the key is not accepted"),
        ("lifetime", "no answer in time"),
        ("SERVFAIL", "SERVFAIL"),
    ):
        if sign in text:
            return words
    return type(error).__name__ if not text or any(sign.isdigit() for sign in text) else text
