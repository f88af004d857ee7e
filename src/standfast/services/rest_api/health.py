"""Whether the REST service works: keys can be looked up, and a write is taken by the database (and taken back)."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from standfast.components.accounts.api import KeyRefused, check_key
from standfast.platform import tenancy
from standfast.platform.health import Health, Unhealthy
from standfast.platform.rest.answers import to_json
from standfast.platform.rest.idempotency import Claim, claim

NOBODY = 0  # an account that does not exist: row-level security shows nothing of any other


def _keys() -> str:
    try:
        check_key(NOBODY, f"sf_{NOBODY}_health", address="127.0.0.1")
    except KeyRefused:
        return "a key can be looked up"
    raise Unhealthy("a key that does not exist was let in")


def _write() -> str:
    with tenancy.account_scope(NOBODY):
        taken = claim(account_id=NOBODY, key=f"health-{secrets.token_hex(8)}", request=b"health")
        transaction.set_rollback(True)
    if not isinstance(taken, Claim):
        raise Unhealthy("a write was not taken")
    return "a write is taken"


_REST = Health("rest-api", {"keys": _keys, "write": _write})


def rest_api(_: HttpRequest) -> HttpResponse:
    """Whether an API write would be accepted."""
    status, body = _REST.answer()
    return HttpResponse(to_json(body), status=status, content_type="application/json; charset=utf-8")
