"""A real service, killed while a hundred clients send one call under one idempotency key: one effect, one answer for all."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from standfast.platform import config, postgres

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 100
ROUNDS_MAX = 3000
BODY = json.dumps({"events": [{"name": "ordered", "email": "ann@example.net"}], "create_contacts": True})


class Service:
    """`standfast run rest_api` on a port of its own; killed with all its processes."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "STANDFAST_HOST": "127.0.0.1", "STANDFAST_REST_PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "standfast.cli", "run", "rest_api"], env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "the service ended at its start"
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def service():
    one = Service()
    one.start()
    yield one
    one.kill()


def ask_until_answered(service, key: str, answers: list[tuple[int, bytes]]) -> None:
    """As a client does: again after a broken connection, or where it is told to wait."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": "one-order"}
    for _ in range(ROUNDS_MAX):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        try:
            connection.request("POST", "/api/v1/events", BODY, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
            continue
        finally:
            connection.close()
        if answer.status not in (409, 429, 503):
            answers.append((answer.status, body))
            return
        time.sleep(0.02)


def test_one_effect_and_one_answer_whatever_is_killed_when(alice, service, loader):
    answers: list[tuple[int, bytes]] = []
    loader.execute("INSERT INTO event_head (account_id, position) VALUES (%s, 0)", [alice.account_id])
    loader.commit()
    loader.execute("SELECT 1 FROM event_head WHERE account_id = %s FOR UPDATE", [alice.account_id])
    threads = [threading.Thread(target=ask_until_answered, args=(service, alice.key, answers)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    until_somebody_waits(loader)
    loader.commit()  # the first call goes on, and the service is killed before, at or after its commit
    service.kill()
    service.start()
    for thread in threads:
        thread.join()
    assert len(answers) == CLIENTS and {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    kinds = loader.execute(
        "SELECT kind FROM event WHERE account_id = %s ORDER BY position", [alice.account_id]
    ).fetchall()
    assert kinds == [("contact_created",), ("custom_ordered",)]
    assert json.loads(answers[0][1])["results"][0]["position"] == 2


def until_somebody_waits(loader) -> None:
    """Until a call of the service stands before the lock that this connection holds."""
    mine = loader.info.backend_pid
    with psycopg.connect(postgres.dsn(config.load(), "owner"), autocommit=True) as watching:
        while not watching.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [mine]
        ).fetchone()[0]:
            time.sleep(0.02)
