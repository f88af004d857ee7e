"""Where the account's mail goes: the bundled inbox, or an SMTP host."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.values import Moment, Reading, Unset, Writing, given

Tls: TypeAlias = Literal["none", "opportunistic", "required", "implicit"]


class RouteSettings(TypedDict):
    to_inbox: bool
    host: str
    port: int
    tls: str
    username: str
    has_password: bool
    connections: int
    retry_seconds: int
    retry_seconds_max: int
    life_seconds: int
    updated_at: Moment | None


class RouteChange(Writing, total=False):
    """What is left out stays as it is. The password has to be sent again where it would go to another server or user."""

    to_inbox: bool | Unset
    host: str | Unset
    port: int | Unset
    tls: Tls | Unset
    username: str | Unset
    password: str | Unset
    connections: int | Unset
    retry_seconds: int | Unset
    retry_seconds_max: int | Unset
    life_seconds: int | Unset


class Probe(TypedDict):
    """said: the mail server's own words, or the network's."""

    ok: bool
    what: str
    remedy: str
    said: str


class Route(Group):
    @operation("GET", "/route")
    def get(self, **more: Unpack[Reading]) -> RouteSettings:
        return self._calls.get(RouteSettings, "/route", **more)

    @operation("PATCH", "/route")
    def change(self, **changes: Unpack[RouteChange]) -> RouteSettings:
        return self._calls.write(RouteSettings, "PATCH", "/route", **_divided(changes))

    @operation("POST", "/route/probe")
    def probe(self, **changes: Unpack[RouteChange]) -> Probe:
        """Try the route, or what it would be after these changes; nothing is sent or saved. Takes up to 20 seconds."""
        return self._calls.write(Probe, "POST", "/route/probe", **_divided(changes))


def _divided(changes: RouteChange) -> dict[str, Any]:
    """What is changed as the body, beside what every writing call takes."""
    body = given(**changes)
    return {**{name: body.pop(name) for name in Writing.__optional_keys__ & body.keys()}, "body": body}
