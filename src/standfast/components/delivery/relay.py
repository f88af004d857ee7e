"""The account's way out as somebody sets it up: what is wrong with the settings, where they would lead, how they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from standfast.components.delivery.models import Route
from standfast.components.delivery.routes import PASSWORD, Way
from standfast.platform import config, sealing
from standfast.protocols.address import AddressError, domain_to_ascii

CONNECTIONS_MAX = 100
WAYS = (
    "to_inbox",
    "host",
    "port",
    "tls",
    "username",
    "connections",
    "retry_seconds",
    "retry_seconds_max",
    "life_seconds",
)
TYPE_AGAIN = "Type the password again: it would go to another server or user."
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
FIRST_WAITS = (_MINUTE, 5 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, _HOUR)
LONGEST_WAITS = (_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR)
LIVES = (6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY)


def route_of(*, account_id: int) -> Route:
    """The account's route; a new one, not saved, where it has none. In the account's scope."""
    return Route.objects.filter(account_id=account_id).first() or Route(account_id=account_id)


def host_of(text: str) -> str:
    """A host as it is kept: lower case, punycode, or an IP address (where it may be is asked at the connection).

    Raises ValueError.
    """
    host = text.strip().strip(".").lower()
    if not host or all(char in "0123456789abcdef:." for char in host):
        return host
    try:
        return domain_to_ascii(host)
    except AddressError as error:
        raise ValueError("This is no host name.") from error


def where_of(route: Route) -> tuple[str, int, str]:
    """Whom the kept password was given for."""
    return route.host, route.port, route.username


def faults_of(values: Mapping[str, Any], *, before: tuple[str, int, str]) -> dict[str, str]:
    """What is wrong with settings that belong together, by name. before: see where_of."""
    found = {}
    where = values.get("host"), values.get("port"), values.get("username")
    if values.get("username") and not values.get("password") and where != before:
        found["password"] = TYPE_AGAIN
    if values.get("retry_seconds", 0) > values.get("retry_seconds_max", _DAY):
        found["retry_seconds_max"] = "This is shorter than the first wait."
    return found


def way_with(route: Route, values: Mapping[str, Any]) -> Way:
    """The way as it would be when saved. An empty password is the kept one. Raises sealing.SealError."""
    if values["to_inbox"]:
        settings = config.load()
        return Way(settings.host, settings.inbox_port, "none", "", "", values["connections"])
    password = ""
    if values["username"]:
        kept = route.password_sealed
        password = values["password"] or (sealing.unseal(kept, purpose=PASSWORD) if kept else "")
    return Way(values["host"], values["port"], values["tls"], values["username"], str(password), values["connections"])


def keep_password(route: Route, *, username: str, password: str) -> None:
    """Seal a new password; none without a user. An empty one leaves the kept one in its place. The route is not saved."""
    if not username:
        route.password_sealed = ""
    elif password:
        route.password_sealed = sealing.seal(password, purpose=PASSWORD)
