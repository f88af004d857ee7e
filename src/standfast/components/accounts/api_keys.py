"""API keys: made once, shown once, kept as a hash; each with scopes, source addresses and an end.

A key works in one account. The services look it up for every call, with the account that the call names: a key of another
account is unknown there, because row-level security shows the account's own rows alone. `scope_of_key` is the call's transaction
and the look-up in one; `check_key` the look-up alone, where the body has yet to come.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Q

from standfast.components.accounts.models import Account, ApiKey, User
from standfast.platform import tenancy

NAME_MAX = 32  # the reference product's limits, as those of the next line
NETWORKS_MAX = 50
USED_EVERY = dt.timedelta(minutes=1)  # how exactly `used_at` is kept
MODULES = {
    "contacts": "People and lists",
    "campaigns": "Campaigns",
    "content": "Content and images",
    "reports": "Reports",
    "transactional": "Transactional mail",
    "tables": "Relational tables",
    "commerce": "Products and orders",
    "webhooks": "Outgoing webhooks",
    "account": "Account and keys",
}
# Index one_api_key. As JSON: it is asked for in one message with the account's setting, in every call.
_KEY = """
SELECT json_build_object(
    'id', id, 'name', name, 'scopes', scopes, 'networks', networks, 'expires_at', expires_at,
    'revoked', revoked_at IS NOT NULL, 'used_at', used_at)
FROM accounts_apikey WHERE account_id = %(account_id)s AND key_hash = %(key_hash)s
"""
SCOPES = tuple(f"{module}:{right}" for module in MODULES for right in ("read", "write"))


class Refusal(StrEnum):
    """Why a key is not let in."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ADDRESS = "address"
    SCOPE = "scope"


class KeyRefused(Exception):
    """The call is not let in. `refusal` says why, the text tells the caller what to do."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal
        self.text = text


class KeyInvalid(ValueError):
    """The key that is to be made cannot be; the text says why."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who calls: a key of an account."""

    account_id: int
    key_id: int
    name: str
    scopes: frozenset[str]
    is_bound: bool = False  # to source addresses

    def may(self, scope: str) -> bool:
        """Whether the key has a scope; who may write may read."""
        return scope in self.scopes or (scope.endswith(":read") and scope[:-4] + "write" in self.scopes)


def make_key(
    account: Account,
    *,
    name: str,
    scopes: Iterable[str],
    by: User,
    networks: Iterable[str] = (),
    expires_at: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is never to be had again. In the account's scope. Raises KeyInvalid."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise KeyInvalid(f"A key needs a name of 1 to {NAME_MAX} characters.")
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise KeyInvalid(
            f"There is no scope {unknown[0]!r}." if unknown else "Choose at least one thing the key may do."
        )
    if expires_at is not None and expires_at <= dt.datetime.now(dt.UTC):
        raise KeyInvalid("The end lies in the past.")
    text = f"sf_{account.pk}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        account=account,
        name=name,
        key_hash=_hash(text),
        hint=text[: len(f"sf_{account.pk}_") + 4][:16],
        scopes=wanted,
        networks=_networks(networks),
        created_by=by,
        expires_at=expires_at,
    )
    return key, text


def revoke_key(account: Account, key_id: int) -> bool:
    """End a key at once; False where there is none that works."""
    return bool(
        ApiKey.objects.filter(account=account, pk=key_id, revoked_at=None).update(revoked_at=dt.datetime.now(dt.UTC))
    )


def check_key(account_id: int, text: str, *, address: str, scope: str | None = None) -> KeyHolder:
    """Who calls, in one round trip that is a transaction of its own. Raises KeyRefused.

    address: the caller's IP address. scope: one of SCOPES, or None where any key of the account will do.
    """
    found = tenancy.ask(account_id, _KEY, {"account_id": account_id, "key_hash": _hash(text)}) if text else None
    holder = _judged(account_id, found, address, scope)
    if _is_stale(found):
        _note_use(holder, address)
    return holder


@contextmanager
def scope_of_key(account_id: int, text: str, *, address: str) -> Iterator[KeyHolder]:
    """The account's scope for whoever brings this key, who is yielded: one transaction, begun with the look at the key in the
    same round trip. Raises KeyRefused.
    """
    asked = {"account_id": account_id, "key_hash": _hash(text)}
    with tenancy.scope_asking(account_id, _KEY, asked) as found:
        holder = _judged(account_id, found if text else None, address, None)
        if not _is_stale(found):
            yield holder
            return
    # Noted before the call and apart from it: one that is taken back has used the key too, and one that takes long must not
    # keep all others waiting for the key's row.
    _note_use(holder, address)
    with tenancy.account_scope(account_id):
        yield holder


def _judged(account_id: int, key: Any, address: str, scope: str | None) -> KeyHolder:
    """Who brings the key of this row of `_KEY`. Raises KeyRefused."""
    if key is None:
        raise KeyRefused(Refusal.UNKNOWN, "There is no such API key in this account.")
    if key["revoked"]:
        raise KeyRefused(Refusal.REVOKED, "This API key was revoked.")
    if (end := key["expires_at"]) is not None and dt.datetime.fromisoformat(end) <= dt.datetime.now(dt.UTC):
        raise KeyRefused(Refusal.EXPIRED, "This API key has expired.")
    if key["networks"] and not _within(address, key["networks"]):
        raise KeyRefused(Refusal.ADDRESS, f"This API key may not be used from {address}.")
    holder = KeyHolder(account_id, key["id"], key["name"], frozenset(key["scopes"]), bool(key["networks"]))
    if scope is not None and not holder.may(scope):
        raise KeyRefused(Refusal.SCOPE, f"This API key lacks the scope {scope}.")
    return holder


def _is_stale(key: Any) -> bool:
    """Whether it is time to note that a key was used."""
    used = key["used_at"]
    return used is None or dt.datetime.fromisoformat(used) < dt.datetime.now(dt.UTC) - USED_EVERY


def _note_use(holder: KeyHolder, address: str) -> None:
    """Once for all calls that found it stale at the same time."""
    now = dt.datetime.now(dt.UTC)
    with tenancy.account_scope(holder.account_id):
        stale = Q(used_at=None) | Q(used_at__lt=now - USED_EVERY)
        mine = ApiKey.objects.filter(stale, account_id=holder.account_id, pk=holder.key_id)
        mine.update(used_at=now, used_from=address)


def _hash(text: str) -> str:
    """A key is 256 random bits: a plain hash is as good as a slow one, and calls are many."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _networks(given: Iterable[str]) -> list[str]:
    found = []
    for text in given:
        try:
            network = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError as error:
            raise KeyInvalid(f"{text!r} is not an IP address or network.") from error
        whole = network.num_addresses == 1
        found.append(str(network.network_address) if whole else str(network))
    if len(found) > NETWORKS_MAX:
        raise KeyInvalid(f"A key can have at most {NETWORKS_MAX} addresses.")
    return list(dict.fromkeys(found))


def _within(address: str, networks: Iterable[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in ipaddress.ip_network(network) for network in networks)
