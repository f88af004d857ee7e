"""What we declare to be so, outside the providers: the map's table `declared`.

[declared]
directory = "dns"                    # octoDNS YAML, one file for each zone: shop.example.yaml

[[declared.delegations]]             # what the parent's servers say
provider = "registry"
zone = "shop.example."
server = "192.0.2.53"
nameservers = ["ns1.north.example.", "ns1.south.example."]

[[declared.certificates]]            # what is served; only what is given is compared
provider = "north"
host = "192.0.2.1"
server_name = "shop.example"
spki_sha256 = ["<hex>"]
issuer = "CN=Example CA"
not_after = 2027-01-31T00:00:00Z

[[declared.edges]]                   # what an edge answers
provider = "north"
url = "http://192.0.2.1/healthz"
host = "shop.example"
status = 200
headers = {server = "edge"}
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from standfast.operations.map import Map, MapError

Port = Annotated[int, Field(ge=1, le=65535)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Delegation(_Part):
    provider: str
    zone: str = Field(pattern=r"\.$")
    server: str
    port: Port = 53
    nameservers: tuple[str, ...] = Field(min_length=1)


class Certificate(_Part):
    provider: str
    host: str
    port: Port = 443
    server_name: str
    spki_sha256: tuple[str, ...] = ()
    issuer: str = ""
    not_after: datetime | None = None

    @field_validator("not_after")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Edge(_Part):
    provider: str
    url: str = Field(pattern=r"^https?://")
    host: str = ""  # the Host header, where the URL names an address
    status: int = 200
    headers: dict[str, str] = {}


class Declared(_Part):
    directory: str = ""
    delegations: tuple[Delegation, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    edges: tuple[Edge, ...] = ()


def declared(the_map: Map) -> Declared:
    """The map's table. Raises MapError with every problem found."""
    try:
        return Declared.model_validate(the_map.declared)
    except ValidationError as error:
        problems = [f"declared.{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise MapError(the_map.folder, problems) from error
