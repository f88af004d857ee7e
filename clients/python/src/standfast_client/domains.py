"""The domains that mail is sent from."""

from __future__ import annotations

from typing import TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import Moment, Reading, Writing, parameters


class DomainRow(TypedDict):
    id: int
    domain: str
    is_trial: bool
    verified_at: Moment | None
    checked_at: Moment | None
    created_at: Moment


class DnsRecord(TypedDict):
    """What to publish where the domain's DNS is kept. found: ok, what is wrong with it, or empty before it was looked for."""

    key: str
    type: str
    name: str
    value: str
    why: str
    found: str
    remedy: str


class Domain(DomainRow):
    records: list[DnsRecord]


class Domains(Group):
    @operation("GET", "/sending-domains")
    def all(self, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[DomainRow]:
        def read(cursor: str | None) -> Page[DomainRow]:
            return self._calls.get(Page[DomainRow], "/sending-domains", parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/sending-domains")
    def add(self, *, domain: str, **more: Unpack[Writing]) -> Domain:
        """Add a domain; its DKIM key is made by the service."""
        return self._calls.write(Domain, "POST", "/sending-domains", {"domain": domain}, **more)

    @operation("GET", "/sending-domains/{domain_id}")
    def get(self, domain_id: int, **more: Unpack[Reading]) -> Domain:
        return self._calls.get(Domain, at("/sending-domains/{}", domain_id), **more)

    @operation("POST", "/sending-domains/{domain_id}/check")
    def check(self, domain_id: int, **more: Unpack[Writing]) -> Domain:
        """Have its records looked up now; takes up to some seconds."""
        return self._calls.write(Domain, "POST", at("/sending-domains/{}/check", domain_id), **more)

    @operation("DELETE", "/sending-domains/{domain_id}")
    def delete(self, domain_id: int, **more: Unpack[Writing]) -> None:
        self._calls.delete(at("/sending-domains/{}", domain_id), **more)
