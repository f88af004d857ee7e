"""The map's tables that single processes read, and what must agree between its parts: checked when the map is read.

A port that is no number or an address that no server would take is found here by `standfast operations check`, and not by
the first failover at night.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


def _address(value: str) -> str:
    """An IP address: names fail together with the DNS that is being watched and changed."""
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not an IP address") from error
    return value


def _dotted(value: str) -> str:
    """A full name in lower case with its dot at the end."""
    name = value.lower().rstrip(".") + "."
    if name != "." and not all(
        0 < len(label) < 64 and label.isascii() and " " not in label for label in name[:-1].split(".")
    ):
        raise ValueError(f"{value!r} is not a domain name")
    return name


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{value!r} is not host:port")
    return value


Address = Annotated[str, AfterValidator(_address)]
DomainName = Annotated[str, AfterValidator(_dotted)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Controller(_Table):
    host: str = ""
    port: Port = 8101
    urls: tuple[Url, ...] = ()
    log: str = ""
    anchors: tuple[HostAndPort, ...] = ()
    counters: tuple[dict[str, Any], ...] = ()  # see `incidents/counters.py`


class _StatusPage(_Table):
    folder: str = ""
    host: str = ""
    ports: tuple[Port, ...] = ()
    stale_after_seconds: int = Field(default=60, ge=5)
    desk_url: Url | Literal[""] = ""
    desk_host: str = ""
    desk_port: Port = 8121
    desk_proxies: tuple[Address, ...] = ()
    allow_private_webhooks: bool = False


class _Mail(_Table):
    host: str = ""
    port: Port = 25
    tls: Literal["none", "opportunistic", "required", "implicit"] = "opportunistic"
    username: str = ""
    password_file: str = ""
    sender: str = Field(default="", alias="from", pattern=r"^(|[^@\s]+@[^@\s]+)$")


_TABLES: Mapping[str, type[_Table]] = {"controller": _Controller, "status_page": _StatusPage, "mail": _Mail}


def faults(tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the tables that are read elsewhere; [declared] is `failover/declared.py`'s."""
    found = []
    for name, table in tables.items():
        try:
            _TABLES[name].model_validate(table)
        except ValidationError as error:
            found += [f"{'.'.join(map(str, (name, *item['loc'])))}: {item['msg']}" for item in error.errors()]
    return found


def pool_faults(pools: Iterable[Any], zones: Iterable[str]) -> list[str]:
    """What would make a failover of a pool fail, or change nothing."""
    found = []
    served = list(zones)
    for pool in pools:
        where = f"pools: {pool.id}"
        version = 4 if pool.type == "A" else 6
        for address in (*pool.primary, *pool.standby):
            if ipaddress.ip_address(address).version != version:
                found.append(f"{where}: {address} cannot stand in an {pool.type} record")
        if set(pool.primary) == set(pool.standby):
            found.append(f"{where}: its standby addresses are its primary ones")
        if not any(pool.record == zone or pool.record.endswith(f".{zone}") or zone == "." for zone in served):
            found.append(f"{where}: no provider of the map serves {pool.record}")
    return found
