"""Where the account's mail goes: the bundled inbox, or an SMTP host."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.values import UNSET, Moment, Reading, Unset, Writing, given

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
    def change(
        self,
        *,
        to_inbox: bool | Unset = UNSET,
        host: str | Unset = UNSET,
        port: int | Unset = UNSET,
        tls: Tls | Unset = UNSET,
        username: str | Unset = UNSET,
        password: str | Unset = UNSET,
        connections: int | Unset = UNSET,
        retry_seconds: int | Unset = UNSET,
        retry_seconds_max: int | Unset = UNSET,
        life_seconds: int | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> RouteSettings:
        """The password has to be sent again where it would go to another server or user."""
        body = given(
            to_inbox=to_inbox, host=host, port=port, tls=tls, username=username, password=password,
            connections=connections, retry_seconds=retry_seconds, retry_seconds_max=retry_seconds_max,
            life_seconds=life_seconds,
        )  # fmt: skip
        return self._calls.write(RouteSettings, "PATCH", "/route", body, **more)

    @operation("POST", "/route/probe")
    def probe(
        self,
        *,
        to_inbox: bool | Unset = UNSET,
        host: str | Unset = UNSET,
        port: int | Unset = UNSET,
        tls: Tls | Unset = UNSET,
        username: str | Unset = UNSET,
        password: str | Unset = UNSET,
        connections: int | Unset = UNSET,
        retry_seconds: int | Unset = UNSET,
        retry_seconds_max: int | Unset = UNSET,
        life_seconds: int | Unset = UNSET,
        **more: Unpack[Writing],
    ) -> Probe:
        """Try the route, or what it would be with these; nothing is sent or saved. Takes up to 20 seconds."""
        body = given(
            to_inbox=to_inbox, host=host, port=port, tls=tls, username=username, password=password,
            connections=connections, retry_seconds=retry_seconds, retry_seconds_max=retry_seconds_max,
            life_seconds=life_seconds,
        )  # fmt: skip
        return self._calls.write(Probe, "POST", "/route/probe", body, **more)
