"""The inbox over SMTP: what the plan says happens, and what was accepted is there."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from standfast.platform.mail_store import list_messages, message_ids
from standfast.protocols.smtp_client import Accepted, Deferred, Outcome, Refused, Stage, Uncertain, connect
from standfast.services.inbox.plan import Action, parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store, StoreFailed


def mail(name: str) -> bytes:
    return f"From: a@a.test\r\nMessage-ID: <{name}@a.test>\r\nSubject: hi\r\n\r\nhello\r\n".encode()


async def deliver(directory: Path, plan: str, recipients: list[str]) -> tuple[dict[str, Outcome], Inbox]:
    """Try each recipient once, in order, opening a new connection when one is lost."""
    inbox = Inbox(plan=parse_plan(plan), store=Store(directory))
    server = await serve_inbox(host="127.0.0.1", port=0, inbox=inbox)
    outcomes: dict[str, Outcome] = {}
    connection = await connect("127.0.0.1", server.port, tls="none")
    for recipient in recipients:
        if not connection.usable:
            connection = await connect("127.0.0.1", server.port, tls="none")
        outcomes[recipient] = await connection.submit("b-x@b.test", recipient, mail(recipient.partition("@")[0]))
    await connection.quit()
    await server.close()
    await inbox.store.close()
    return outcomes, inbox


async def test_a_script_decides_by_recipient(tmp_path: Path) -> None:
    actions = [action for action in Action if action not in (Action.ACCEPT, Action.DROP_AT_CONNECT)]
    rules = [{"recipient": f"{action}@gmail.com", "action": action} for action in actions]
    rules += [
        {
            "recipient": "late@*",
            "action": "refuse",
            "stage": "dot",
            "code": 554,
            "text": "5.7.1 no",
            "delay_seconds": 0.1,
        }
    ]
    script = tmp_path / "plan.json"
    script.write_text(json.dumps({"rule": rules}))
    names = [*actions, "late", "alice"]
    outcomes, inbox = await deliver(tmp_path / "mail", str(script), [f"{name}@gmail.com" for name in names])
    found = {name: outcomes[f"{name}@gmail.com"] for name in names}
    assert {name: type(outcome) for name, outcome in found.items()} == {
        "defer": Deferred,
        "refuse": Refused,
        "throttle": Deferred,
        "drop_at_rcpt": Deferred,
        "drop_in_data": Uncertain,
        "drop_after_dot": Uncertain,
        "drop_after_accept": Uncertain,
        "late": Refused,
        "alice": Accepted,
    }
    assert found["late"] == Refused(554, "5.7.1", "no", Stage.DOT)
    assert "gsmtp" in found["refuse"].text
    assert set(message_ids(tmp_path / "mail")) == {"<drop_after_accept@a.test>", "<alice@a.test>"}
    assert inbox.tally["accept"] == 1


async def test_a_seed_gives_the_same_outcomes_again_and_books_that_balance(tmp_path: Path) -> None:
    plan = "seed:42,defer=0.2,refuse=0.1,throttle=0.05,drop_after_dot=0.05,drop_after_accept=0.05,drop_in_data=0.05"
    recipients = [f"r{n}@{domain}" for n in range(100) for domain in ("gmail.com", "yahoo.com", "x.test")]
    first, _ = await deliver(tmp_path / "1", plan, recipients)
    second, _ = await deliver(tmp_path / "2", plan, recipients)
    assert first == {recipient: _as_in(second[recipient], first[recipient]) for recipient in recipients}
    kept = Counter(message.recipients[0] for message in list_messages(tmp_path / "1", limit=1000))
    assert max(kept.values()) == 1
    for recipient, outcome in first.items():
        if isinstance(outcome, Accepted):
            assert kept[recipient] == 1
        elif not isinstance(outcome, Uncertain):
            assert kept[recipient] == 0
    assert {type(outcome) for outcome in first.values()} == {Accepted, Deferred, Refused, Uncertain}


def _as_in(outcome: Outcome, other: Outcome) -> Outcome:
    """The words of a lost connection may differ; the type may not."""
    return other if type(outcome) is type(other) and not isinstance(outcome, Refused) else outcome


async def test_providers_throttle_by_connection(tmp_path: Path) -> None:
    outcomes, _ = await deliver(tmp_path, "seed:1,per_connection=3", [f"r{n}@x.test" for n in range(8)])
    codes = [outcome.code for outcome in outcomes.values() if isinstance(outcome, Accepted | Deferred)]
    assert codes == [250, 250, 250, 421, 250, 250, 250, 421]


def test_attempts_are_decided_anew_but_a_refused_address_stays_refused() -> None:
    plan = parse_plan("seed:7,defer=0.5,refuse=0.2")
    decisions = {f"r{n}@x.test": [plan.next_decision(f"r{n}@x.test").action for _ in range(6)] for n in range(100)}
    refused = [actions for actions in decisions.values() if Action.REFUSE in actions]
    assert refused
    assert all(set(actions) == {Action.REFUSE} for actions in refused)
    assert any(actions[0] is Action.DEFER and Action.ACCEPT in actions for actions in decisions.values())


@pytest.mark.parametrize("spec", ["seed:1,nonsense=1", "seed:1,defer=x", "/nowhere/plan.toml"])
def test_a_plan_that_is_not_understood_says_so(spec: str) -> None:
    with pytest.raises(ValueError, match="plan"):
        parse_plan(spec)


async def test_a_full_disk_defers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(self: Store, **_: object) -> None:
        raise StoreFailed("the message could not be written: No space left on device")

    monkeypatch.setattr(Store, "append", full)
    outcomes, _ = await deliver(tmp_path, "accept", ["alice@x.test"])
    outcome = outcomes["alice@x.test"]
    assert isinstance(outcome, Deferred)
    assert (outcome.code, outcome.stage) == (452, Stage.DOT)


RUN = """
import sys
from pathlib import Path
from standfast.services.inbox.main import run
run(port=int(sys.argv[1]), directory=Path(sys.argv[2]), plan="seed:1,drop_after_accept=0.05")
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_the_process_killed_in_the_middle_keeps_its_word(tmp_path: Path) -> None:
    port = free_port()
    accepted: list[str] = []
    uncertain: list[str] = []
    waiting = [f"r{n}" for n in range(600)]
    for round_number in range(3):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(port), str(tmp_path)])
        try:
            goal = (round_number + 1) * 200
            while waiting and len(accepted) + len(uncertain) < goal:
                await _push_some(port, waiting, accepted, uncertain)
        finally:
            process.send_signal(signal.SIGKILL if round_number < 2 else signal.SIGTERM)
            assert process.wait() == (-signal.SIGKILL if round_number < 2 else 0)
    kept = list(message_ids(tmp_path))
    assert {f"<{name}@a.test>" for name in accepted} <= set(kept)
    assert set(kept) <= {f"<{name}@a.test>" for name in (*accepted, *uncertain)}
    assert len(kept) == len(set(kept))


async def _push_some(port: int, waiting: list[str], accepted: list[str], uncertain: list[str]) -> None:
    try:
        connection = await connect("127.0.0.1", port, tls="none")
    except OSError:
        return
    except Exception:
        await asyncio.sleep(0.05)
        return
    names = waiting[:50]
    outcomes = await asyncio.gather(*(connection.submit("b-x@b.test", f"{name}@x.test", mail(name)) for name in names))
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            accepted.append(name)
        elif isinstance(outcome, Uncertain):
            uncertain.append(name)
        else:
            continue
        waiting.remove(name)
    await connection.quit()


def test_a_second_inbox_and_a_taken_port_are_told_in_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    first = subprocess.Popen([sys.executable, "-c", RUN, str(port), str(tmp_path / "a")])
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        for directory, words in (("a", "another inbox"), ("b", "cannot listen")):
            second = subprocess.run(
                [sys.executable, "-c", RUN, str(port), str(tmp_path / directory)],
                check=False,
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert second.returncode == 1
            assert words in second.stderr
            assert "Traceback" not in second.stderr
    finally:
        first.terminate()
        first.wait()
