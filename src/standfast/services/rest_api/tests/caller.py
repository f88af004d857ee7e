"""Calls of the service within the test's process, over its own addresses and middleware, as clients make them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any

from django.test import Client, override_settings

from standfast.components.accounts.api import SCOPES, make_key
from standfast.platform import tenancy

REST = {
    "ROOT_URLCONF": "standfast.services.rest_api.urls",
    "MIDDLEWARE": ["standfast.services.rest_api.middleware.calls"],
    "ALLOWED_HOSTS": ["*"],
}


@contextmanager
def service():
    with override_settings(**REST):
        yield Client(raise_request_exception=False)


def key_of(account: Any, by: Any, *, scopes: Any = SCOPES, **more: Any) -> str:
    with tenancy.account_scope(account.pk):
        return make_key(account, name="test", scopes=scopes, by=by, **more)[1]


class Caller:
    """`caller.get("lists")` calls /accounts/<id>/lists.json with the key; `caller.v1("GET", "/account")` our own API."""

    def __init__(self, client: Client, account_id: int, key: str) -> None:
        self.client, self.account_id, self.key = client, account_id, key

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        host: str = "/accounts",
        suffix: str = ".json",
        **headers: str,
    ):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        where = f"{host}/{self.account_id}/{path}{suffix}?auth_token={self.key}" + (f"&{query}" if query else "")
        return self.client.generic(
            method, where, data, content_type=headers.pop("content_type", "application/json"), headers=headers
        )

    def get(self, path: str, **more: Any):
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any):
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any):
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any):
        return self.call("DELETE", path, body, **more)

    def v1(self, method: str, path: str, body: Any = None, **headers: str):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", **headers}
        return self.client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=headers)
