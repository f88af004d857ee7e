"""Sending domains: the DKIM key made here, the DNS records to publish, and whether they are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from django.db import IntegrityError, transaction
from django.db.models import Q

from standfast.components.delivery.models import Send, SendingDomain, SendState
from standfast.platform import config, sealing
from standfast.protocols import dkim
from standfast.protocols.address import AddressError, parse_address

KEY = "dkim-key"
DOMAINS_MAX = 100


class DomainInUse(ValueError):
    """Mail from the domain is on its way; the text says what to do."""


class DomainRefused(ValueError):
    """The domain cannot be added; the text says why."""


def domain_name(text: str) -> str:
    """A domain as it is kept, from whatever holds one: an address, a link. Raises DomainRefused."""
    text = text.strip().lower().removeprefix("https://").removeprefix("http://").rpartition("@")[2].partition("/")[0]
    try:
        return parse_address(f"mail@{text}").domain
    except AddressError as error:
        raise DomainRefused(f"This is no domain one could send from: {error.reason}.") from error


def add_domain(*, account_id: int, domain: str) -> SendingDomain:
    """Make a key for a domain; returns the row whose records are to be published. Within the account's scope.

    Raises DomainRefused for one that is there already, and where there are too many.
    """
    domain = domain.lower().strip(".")
    if SendingDomain.objects.filter(account_id=account_id).count() >= DOMAINS_MAX:
        raise DomainRefused(f"An account has at most {DOMAINS_MAX} domains. Delete one that is not used.")
    key = dkim.new_key()
    selector = f"sf{dt.datetime.now(dt.UTC):%Y%m}"
    try:
        with transaction.atomic():
            return SendingDomain.objects.create(
                account_id=account_id, domain=domain, selector=selector,
                private_key_sealed=sealing.seal(key.private_pem, purpose=KEY), public_record=key.dns_txt,
            )  # fmt: skip
    except IntegrityError:
        raise DomainRefused(f"{domain} is here already.") from None


def delete_domain(domain: SendingDomain) -> None:
    """Delete a domain with its key. Raises DomainInUse while messages are still to be signed with it. In the account's scope."""
    open_sends = Send.objects.filter(account_id=domain.account_id, state__in=(SendState.READY, SendState.PAUSED))
    name = domain.domain
    if open_sends.filter(
        Q(sources__from_email__iendswith=f"@{name}") | Q(sources__from_email__iendswith=f".{name}")
    ).exists():
        raise DomainInUse(f"A campaign is being sent from {name}. Wait until it is done, or cancel it.")
    domain.delete()


def signers_for(connection: psycopg.Connection, *, account_id: int, from_email: str) -> list[dkim.Signer]:
    """The signer aligned with a From address: its domain or a parent of it. In a transaction of the account."""
    host = from_email.rpartition("@")[2].lower()
    parents = [host.split(".", n)[-1] for n in range(host.count("."))] or [host]
    row = connection.execute(
        "SELECT domain, selector, private_key_sealed FROM delivery_sendingdomain "
        "WHERE account_id = %s AND domain = ANY(%s) ORDER BY length(domain) DESC LIMIT 1",
        [account_id, parents],
    ).fetchone()
    return [] if row is None else [dkim.Signer(row[0], row[1], sealing.unseal(row[2], purpose=KEY))]


def records(domain: SendingDomain, *, bounce_domain: str) -> list[dict[str, str]]:
    """What to publish: type, name, value and why; `key` is its name in check_domain's answer."""
    return [
        {"key": "dkim", "type": "TXT",
         "name": dkim.record_name(selector=domain.selector, domain=domain.domain), "value": domain.public_record,
         "why": "DKIM: proves that the mail is yours and was not changed."},
        {"key": "dmarc", "type": "TXT", "name": f"_dmarc.{domain.domain}",
         "value": f"v=DMARC1; p=none; rua=mailto:dmarc@{domain.domain}",
         "why": "DMARC: Gmail, Yahoo and Microsoft require a policy from bulk senders."},
        {"key": "spf", "type": "TXT", "name": bounce_domain, "value": "v=spf1 a mx ~all",
         "why": "SPF: names the hosts that may send for the bounce domain."},
    ]  # fmt: skip


def bounce_domain() -> str:
    """The domain that bounces of this installation come back to."""
    return config.load().bounce_domain.partition(",")[0].strip()


def records_found(domain: SendingDomain) -> list[dict[str, str]]:
    """The records with how the last check found each: `found` is ok, a text that says what is wrong, or "" where nothing was
    asked; `remedy` says what to do."""
    shown = []
    for record in records(domain, bounce_domain=bounce_domain()):
        found = str(domain.check_result.get(record["key"], ""))
        shown.append({**record, "found": found, "remedy": _remedy(found)})
    return shown


def _remedy(found: str) -> str:
    if found.startswith("no TXT record"):
        return "Add it as below. Many DNS panels put the domain after the name by themselves: enter only what stands before it."
    return "" if not found or found == "ok" or "name servers" in found else "Put the value below in its place."


def check_domain(domain: SendingDomain, *, bounce_domain: str = "", resolver: Any = None) -> dict[str, str]:
    """Look the records up; returns {"dkim": "ok" | what is wrong, "dmarc": ..., "spf": ...} and stores it. SPF is that of the
    bounce domain, where one is given. Takes up to some seconds."""
    import dns.resolver  # loaded by whoever checks: most processes that import this never do

    asked = resolver or dns.resolver.Resolver()
    asked.lifetime = 4.0
    name = dkim.record_name(selector=domain.selector, domain=domain.domain)
    wanted = domain.public_record.replace(" ", "")
    found = {
        "dkim": _look_up(asked, name, lambda text: text.replace(" ", "") == wanted, "is there, but with another key"),
        "dmarc": _look_up(
            asked, f"_dmarc.{domain.domain}", lambda text: text.lower().startswith("v=dmarc1"), "is no DMARC"
        ),
    }
    if bounce_domain:
        found["spf"] = _look_up(asked, bounce_domain, lambda text: text.lower().startswith("v=spf1"), "is no SPF")
    domain.checked_at = dt.datetime.now(dt.UTC)
    domain.check_result = found
    domain.verified_at = domain.checked_at if found["dkim"] == "ok" else None
    domain.save(update_fields=["checked_at", "check_result", "verified_at"])
    return found


def _look_up(resolver: Any, name: str, fits: Any, otherwise: str) -> str:
    import dns.exception
    import dns.resolver

    try:
        answers = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return f"no TXT record at {name} yet"
    except dns.exception.DNSException as error:
        return f"the name servers could not be asked ({type(error).__name__}); try again later"
    texts = [b"".join(answer.strings).decode("utf-8", "replace") for answer in answers]
    return "ok" if any(fits(text) for text in texts) else f"the record at {name} {otherwise}"
