"""Freeze and send: recipients a second frozen, messages a second through one worker, beside the bare signing rate of this run."""

from __future__ import annotations

import argparse
import resource
import time

import psycopg
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from benchmarks.installation import cpu_seconds, installation, peak_mb, service, sink

MESSAGES = 20_000


def signing_rate(seconds: float = 1.5) -> float:
    """RSA-2048 signatures a CPU second with nothing around them. Asked before and after the send: what else runs on the host
    moves it by a fifth."""
    from standfast.protocols.dkim import new_key

    key = serialization.load_pem_private_key(new_key().private_pem.encode(), None)
    count, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        key.sign(b"x" * 500, padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr,call-arg]
        count += 1
    return count / (time.process_time() - began)


def run(messages: int = MESSAGES) -> dict[str, float]:
    """Figures by name; rates are per second of the worker's CPU unless the name says wall."""
    with installation() as config:
        from tests.flows.sending import add_people, sources

        from standfast.components.accounts.api import Account
        from standfast.components.audience.api import List, learn_people
        from standfast.components.delivery import api as delivery
        from standfast.platform import postgres
        from standfast.platform.tenancy import account_scope

        account = Account.objects.create(name="Bench", address="1 High Street")
        with account_scope(account.pk):
            everybody = List.objects.create(account=account, name="Everybody")
            delivery.add_domain(account_id=account.pk, domain="shop.example")
        with psycopg.connect(postgres.dsn(config, "loader")) as connection:
            add_people(connection, account.pk, everybody.pk, messages)
            learn_people(connection, account_id=account.pk, people_at_least=messages)  # as an import does
            connection.commit()
        began = time.perf_counter()
        with account_scope(account.pk):
            send, _ = delivery.freeze_send(
                account_id=account.pk, campaign_id=1, sources=sources("news@shop.example"), list_ids=[everybody.pk],
                suppressed_list_ids=[],
            )  # fmt: skip
        froze = time.perf_counter() - began
        signing = signing_rate()
        with sink(config.inbox_port), service("worker", "--part", "send") as worker:
            _wait(config, send.pk, lambda state, next_seq: next_seq > 1)
            began, cpu, system = time.perf_counter(), cpu_seconds(worker), worker.cpu_times().system
            _wait(config, send.pk, lambda state, next_seq: state == "finished")
            wall, cpu = time.perf_counter() - began, cpu_seconds(worker) - cpu
            system = worker.cpu_times().system - system
            memory = peak_mb(worker)
        return {
            "freeze": messages / froze,
            "send": messages / cpu,
            "send_wall": messages / wall,
            "send_us": 1e6 * cpu / messages,
            "send_kernel_us": 1e6 * system / messages,
            "signing": (signing + signing_rate()) / 2,
            "worker_mb": memory,
        }


def _wait(config, send_id, until) -> None:
    from standfast.platform import postgres

    with psycopg.connect(postgres.dsn(config, "loader"), autocommit=True) as connection:
        while True:
            row = connection.execute("SELECT state, next_seq FROM delivery_send WHERE id = %s", [send_id]).fetchone()
            if until(*row):
                return
            time.sleep(0.02)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=MESSAGES)
    for name, value in run(parser.parse_args().messages).items():
        print(f"{name:12} {value:12,.0f}")
    print(f"this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
