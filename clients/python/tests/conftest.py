"""The REST service in a process of its own, on a free port, and clients with Alice's and Charlie's keys."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from standfast.components.accounts.api import SCOPES, Account, User, make_key
from standfast.platform import tenancy
from standfast_client import Client, Retries

QUICK = Retries(count=3, first_wait_seconds=0.001)


@pytest.fixture(scope="session")
def rest_url(database, tmp_path_factory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", Path(tmp_path_factory.mktemp("rest")) / "log"
    environment = {**os.environ, "STANDFAST_REST_PORT": str(port), "STANDFAST_ALLOW_PRIVATE": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "standfast.cli", "run", "rest_api"], env=environment, stdout=output, stderr=output
        )
    try:
        _answers(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/health", timeout=5)
            return
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)


def key_of(account: object, by: object) -> str:
    with tenancy.account_scope(account.pk):
        return make_key(account, name="test", scopes=SCOPES, by=by)[1]


@dataclass
class People:
    """Alice has the account, Charlie another one."""

    account: Account
    other: Account
    alice: User
    charlie: User


@pytest.fixture
def people(transactional_db) -> People:
    """New accounts, committed, so that the service sees them; nobody signs in, so nobody has a password."""
    found = {}
    for name, where in (("alice", "account"), ("charlie", "other")):
        found[where] = Account.objects.create(name=f"{name.title()}'s shop", address="1 High Street, Toronto")
        found[name] = User.objects.create_user(f"{name}-{secrets.token_hex(6)}@example.com", None, name=name.title())
    return People(**found)


@pytest.fixture
def alice(rest_url, people) -> Iterator[Client]:
    with Client(rest_url, key_of(people.account, people.alice), retries=QUICK) as client:
        yield client


@pytest.fixture
def charlie(rest_url, people) -> Iterator[Client]:
    with Client(rest_url, key_of(people.other, people.charlie), retries=QUICK) as client:
        yield client
