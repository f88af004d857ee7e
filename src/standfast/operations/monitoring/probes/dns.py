"""DNS: what one name server answers. One check for each name server, for the child's own servers and for the parent's.

spec: server         address of the name server
      port           53
      name           what is asked, e.g. "www.example."
      type           "A"
      expect         the whole set that must be answered, ["192.0.2.1", "192.0.2.2"], in any order; or several such sets,
                     [["192.0.2.1"], ["198.51.100.1"]], one of which must be (primary and standby); without it any
                     answer with something in it is good
      delegation     true: the server is the parent's, and must refer to the name servers in `expect` (type is then NS)
      authoritative  true: the answer must carry AA (never asked of a delegation)
      recursive      false: true asks a resolver (RD) and wants no AA
      tcp            false: true asks over TCP at once
"""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from pydantic import BaseModel, ConfigDict, IPvAnyAddress, field_validator

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.datagram import ask
from standfast.operations.monitoring.probes.failure import Bad, Good
from standfast.operations.monitoring.report import Reason

REPEAT_SECONDS = 0.6

_RCODES = {
    dns.rcode.SERVFAIL: Reason.SERVFAIL,
    dns.rcode.NXDOMAIN: Reason.NXDOMAIN,
    dns.rcode.REFUSED: Reason.LAME,
    dns.rcode.NOTAUTH: Reason.LAME,
}


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    server: IPvAnyAddress
    port: int = 53
    name: str
    type: str = "A"
    expect: tuple[str, ...] | tuple[tuple[str, ...], ...] = ()
    delegation: bool = False
    authoritative: bool = True
    recursive: bool = False
    tcp: bool = False

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            dns.rdatatype.from_text(value)
        except dns.exception.DNSException as error:
            raise ValueError(f"there is no record type {value!r}") from error
        return value

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        try:
            dns.name.from_text(value)
        except dns.exception.DNSException as error:
            raise ValueError(f"{value!r} is not a domain name") from error
        return value


async def look(check: Check) -> Good:
    """Ask and judge. Raises Bad, OSError, ValidationError."""
    spec = Spec.model_validate(check.spec)
    kind = dns.rdatatype.NS if spec.delegation else dns.rdatatype.from_text(spec.type)
    wanted = _wanted(spec, kind)
    query = dns.message.make_query(dns.name.from_text(spec.name), kind, use_edns=0, payload=1232)
    if not spec.recursive:
        query.flags &= ~dns.flags.RD
    answer = await ask(
        query,
        address=str(spec.server),
        port=spec.port,
        tcp=spec.tcp,
        repeat_seconds=min(REPEAT_SECONDS, check.timeout_seconds * 0.4),
    )
    asked = f"{spec.name} {dns.rdatatype.to_text(kind)} at {spec.server}"
    values = _judge(answer, spec, kind, asked)
    if wanted and frozenset(values) not in wanted:
        detail = f"{asked}: {', '.join(values)} instead of {' or '.join(', '.join(sorted(one)) for one in wanted)}"
        raise Bad(Reason.WRONG_ANSWER, detail, values)
    return Good(f"{asked}: {', '.join(values)}", values)


def _judge(answer: dns.message.Message, spec: Spec, kind: dns.rdatatype.RdataType, asked: str) -> tuple[str, ...]:
    """The values answered, sorted; raises Bad when there are none or the server does not speak for the name."""
    code = answer.rcode()
    if code != dns.rcode.NOERROR:
        raise Bad(_RCODES.get(code, Reason.PROTOCOL), f"{asked}: {dns.rcode.to_text(code)}")
    sections = [answer.answer, answer.authority] if spec.delegation else [answer.answer]
    if not (spec.delegation or spec.recursive) and spec.authoritative and not answer.flags & dns.flags.AA:
        raise Bad(Reason.LAME, f"{asked}: the answer is not authoritative")
    for section in sections:
        values = sorted({data.to_text().lower() for records in section if records.rdtype == kind for data in records})
        if values:
            return tuple(values)
    raise Bad(Reason.EMPTY, f"{asked}: NOERROR without an answer")


def _wanted(spec: Spec, kind: dns.rdatatype.RdataType) -> list[frozenset[str]]:
    """The sets one of which must be answered, in the spelling of dnspython. Raises Bad when one cannot be read."""
    if not spec.expect:
        return []
    sets = spec.expect if isinstance(spec.expect[0], tuple) else (spec.expect,)
    try:
        return [
            frozenset(
                dns.rdata.from_text(dns.rdataclass.IN, kind, text, origin=dns.name.root, relativize=False)
                .to_text()
                .lower()
                for text in one
            )
            for one in sets
        ]
    except dns.exception.DNSException as error:
        raise Bad(Reason.MISCONFIGURED, f"spec.expect: {error}") from error
