"""The map: clusters, components, checks, vantages, providers and failover pools, read from one TOML file.

Nothing about them is written in code. `docs/operations.md` describes the file; `example.toml` beside this module is one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from standfast.operations.map_tables import Address, DomainName, Port, faults, pool_faults
from standfast.operations.status import Status

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
VOTES_MIN = 3  # fewer vantages than this cannot judge


class MapError(Exception):
    """The map cannot be used. `problems` names each: where in the file, what is wrong."""

    def __init__(self, path: object, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(problems))
        self.problems = list(problems)


class Square(NamedTuple):
    """One field of the matrix."""

    component: str
    cluster: str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(_Part):
    name: str
    url: str = Field(pattern=r"^https?://[^\s]+[^/\s]$")
    time_zone: str = "UTC"
    support: str = ""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; use a name such as America/New_York") from error
        return value


class Cluster(_Part):
    id: Id
    name: str
    accounts: int = Field(default=1, ge=0)  # how many live there: the overall indicator weighs by it
    values: dict[str, str | int] = {}  # what checks may name as {key}: hosts, addresses, ports


class Component(_Part):
    id: Id
    name: str
    server: Literal["application", "api"]  # which of a cluster's two servers carries it
    description: str = ""


class Vantage(_Part):
    id: Id
    name: str
    key_file: str  # the secret its reports are signed with, relative to the map


class Provider(_Part):
    """Where a zone is served and changed: updates by RFC 2136 with TSIG, reading by AXFR with the same key."""

    id: Id
    name: str
    server: Address  # of the primary
    port: Port = 53
    zone: DomainName
    key_name: str
    key_file: str  # holds the base64 secret alone, relative to the map
    key_algorithm: Literal["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"


class Pool(_Part):
    """The addresses that may stand under one name: `primary` while all is well, `standby` after a failover."""

    id: Id
    record: DomainName  # the full name
    type: Literal["A", "AAAA"] = "A"
    ttl: int = Field(default=30, ge=1, le=86400)
    primary: tuple[Address, ...] = Field(min_length=1)
    standby: tuple[Address, ...] = Field(min_length=1)


class Rules(_Part):
    """Thresholds of the detector and the engine; the defaults are the measured ones (docs/operations.md)."""

    interval_seconds: float = Field(default=2.0, ge=0.2, le=60)
    failures_to_open: int = Field(default=2, ge=1)
    rounds_to_recover: int = Field(default=3, ge=1)
    votes_min: int = Field(default=VOTES_MIN, ge=VOTES_MIN)
    absent_after_intervals: float = Field(
        default=3.0, ge=1
    )  # a vantage that has been silent for so long is not counted
    settle_seconds: float = Field(
        default=11.0, ge=0
    )  # good this long after recovery before Monitoring is posted: a flap posts nothing
    quiet_seconds: float = Field(default=300.0, ge=0)  # Monitoring this long before Resolved
    reopen_seconds: float = Field(default=1800.0, ge=0)  # the same failure within this time reopens the incident
    flapping_reopenings: int = Field(default=3, ge=1)
    update_seconds: float = Field(default=1200.0, ge=1)  # the next update is promised for then
    drift_seconds: float = Field(default=10.0, ge=0.1)  # how often providers are compared with the declared state


class _CheckRow(_Part):
    id: str
    name: str = ""
    kind: Literal["dns", "tcp", "tls", "http", "smtp", "ftp"]
    per: Literal["cluster"] | None = None  # one check for each cluster; {key} in strings is filled from its values
    clusters: tuple[str, ...] = ("*",)
    components: tuple[str, ...] = ("*",)  # what is broken while this check is down
    server: Literal["application", "api"] | None = None  # only the components that this server carries
    working: bool = False
    status: Literal["degraded_performance", "partial_outage", "major_outage"] = "major_outage"
    provider: str = ""
    pool: str = ""
    side: Literal["primary", "standby"] = "primary"
    timeout_seconds: float = Field(default=1.5, gt=0)
    spec: dict[str, Any] = {}


class Check(_Part):
    """One thing that every vantage probes. `spec` is what its kind needs (see `monitoring/probes`)."""

    id: Id
    name: str
    kind: str
    squares: tuple[Square, ...]
    working: bool  # shows that the component works, not merely that something answers
    status: Status  # what the squares become while it is down
    provider: str
    pool: str  # the failover pool whose addresses this check watches; "" for none
    side: str = "primary"  # which of the pool's addresses: primary or standby
    timeout_seconds: float
    spec: dict[str, Any]


class _File(_Part):
    page: Page
    clusters: tuple[Cluster, ...] = Field(min_length=1)
    components: tuple[Component, ...] = Field(min_length=1)
    vantages: tuple[Vantage, ...] = Field(min_length=VOTES_MIN)
    checks: tuple[_CheckRow, ...] = ()
    providers: tuple[Provider, ...] = ()
    pools: tuple[Pool, ...] = ()
    rules: Rules = Rules()
    controller: dict[str, Any] = {}
    status_page: dict[str, Any] = {}
    mail: dict[str, Any] = {}
    declared: dict[str, Any] = {}


class Map(_Part):
    """What `load` returns. The tables controller, status_page, mail and declared are read by who needs them."""

    page: Page
    clusters: tuple[Cluster, ...]
    components: tuple[Component, ...]
    vantages: tuple[Vantage, ...]
    checks: tuple[Check, ...]
    providers: tuple[Provider, ...] = ()
    pools: tuple[Pool, ...] = ()
    rules: Rules = Rules()
    controller: dict[str, Any] = {}
    status_page: dict[str, Any] = {}
    mail: dict[str, Any] = {}
    declared: dict[str, Any] = {}
    folder: Path = Path()

    @property
    def squares(self) -> tuple[Square, ...]:
        """The whole matrix, component by component."""
        return tuple(Square(part.id, cluster.id) for part in self.components for cluster in self.clusters)

    @property
    def monitored(self) -> frozenset[Square]:
        """The squares that a working check covers; the others are shown as not yet monitored."""
        return frozenset(square for check in self.checks if check.working for square in check.squares)

    def check(self, check_id: str) -> Check:
        return next(check for check in self.checks if check.id == check_id)

    def cluster(self, cluster_id: str) -> Cluster:
        return next(cluster for cluster in self.clusters if cluster.id == cluster_id)

    def component(self, component_id: str) -> Component:
        return next(part for part in self.components if part.id == component_id)

    def file(self, name: str) -> Path:
        """A path that the file names, relative to the file's folder."""
        return self.folder / name


def load(path: Path) -> Map:
    """Read and check the map. Raises MapError with every problem found."""
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise MapError(path, [f"cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MapError(path, [f"is not TOML: {error}"]) from error
    return parse(table, path=path)


def parse(table: Mapping[str, Any], *, path: Path = Path("map.toml")) -> Map:
    """The map of a decoded TOML table. Raises MapError with every problem found."""
    try:
        given = _File.model_validate(table)
    except ValidationError as error:
        raise MapError(path, [_shown(item["loc"], item["msg"]) for item in error.errors()]) from error
    problems = _repeated(given)
    checks = [check for row in given.checks for check in _expand(row, given, problems)]
    problems += _twice("checks", [check.id for check in checks])
    problems += _unmatched(given, checks)
    problems += faults({name: getattr(given, name) for name in ("controller", "status_page", "mail")})
    if problems:
        raise MapError(path, problems)
    rest = {name: getattr(given, name) for name in _File.model_fields if name != "checks"}
    return Map(checks=tuple(checks), folder=path.parent, **rest)


def _expand(row: _CheckRow, given: _File, problems: list[str]) -> list[Check]:
    """One check, or one for each cluster it names."""
    where = f"checks: {row.id}"
    clusters = _chosen(f"{where}: clusters", row.clusters, [cluster.id for cluster in given.clusters], problems)
    carried = [part.id for part in given.components if row.server in (None, part.server)]
    components = _chosen(f"{where}: components", row.components, carried, problems)
    groups = [[cluster] for cluster in clusters] if row.per == "cluster" else [clusters]
    found = []
    for group in groups:
        values: dict[str, Any] = {}
        if row.per == "cluster":
            cluster = next(one for one in given.clusters if one.id == group[0])
            values = {"cluster": cluster.id, "cluster_name": cluster.name, **cluster.values}
        try:
            found.append(
                Check(
                    id=_filled(row.id, values),
                    name=_filled(row.name or row.id, values),
                    kind=row.kind,
                    squares=tuple(Square(component, cluster) for component in components for cluster in group),
                    working=row.working,
                    status=Status(row.status),
                    provider=_filled(row.provider, values),
                    pool=_filled(row.pool, values),
                    side=row.side,
                    timeout_seconds=row.timeout_seconds,
                    spec=_filled(row.spec, values),
                )
            )
        except KeyError as error:
            problems.append(f"{where}: {{{error.args[0]}}} is not among the values of cluster {group[0]}")
        except ValidationError as error:
            problems += [_shown(("checks", row.id, *item["loc"]), item["msg"]) for item in error.errors()]
    return found


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A spec with {key} replaced; a string that is nothing but {key} takes the value's own type (ports are numbers)."""
    if not values:
        return value
    if isinstance(value, str):
        if value.startswith("{") and value.endswith("}") and value.count("{") == 1:
            return values[value[1:-1]]
        return value.format_map(values) if "{" in value else value
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return value


def _chosen(where: str, wanted: Sequence[str], known: Sequence[str], problems: list[str]) -> list[str]:
    if tuple(wanted) == ("*",):
        return list(known)
    problems += [f"{where}: there is no {name!r}" for name in wanted if name not in known]
    return [name for name in wanted if name in known]


def _repeated(given: _File) -> list[str]:
    problems = []
    for name in ("clusters", "components", "vantages", "providers", "pools"):
        problems += _twice(name, [row.id for row in getattr(given, name)])
    return problems


def _unmatched(given: _File, checks: Sequence[Check]) -> list[str]:
    """Parts that name each other and do not fit."""
    pools = {pool.id for pool in given.pools}
    problems = [
        f"checks: {one.id}: there is no pool {one.pool!r}" for one in checks if one.pool and one.pool not in pools
    ]
    if given.rules.votes_min > len(given.vantages):
        problems.append(f"rules.votes_min: {given.rules.votes_min} of {len(given.vantages)} vantages can never judge")
    return problems + pool_faults(given.pools, [provider.zone for provider in given.providers])


def _twice(where: str, ids: Sequence[str]) -> list[str]:
    return [f"{where}: {one!r} stands there twice" for one in sorted({one for one in ids if ids.count(one) > 1})]


def _shown(where: Sequence[object], text: str) -> str:
    return f"{'.'.join(str(part) for part in where)}: {text}"
