"""An answer is a promise: what was answered is in the spool, and what cannot be is refused."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standfast.services.tracker.tests.tracker_process import Tracker, click_path, free_port, token


def load(tracker: Tracker, number: int, answered: list[int]) -> None:
    """Open one message after the other until the tracker is gone."""
    seq = number * 1_000_000
    while True:
        seq += 1
        try:
            answer = tracker.ask("GET", f"/o/{token(seq=seq)}.gif")
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 200 and answer.body:
            answered.append(seq)


def test_kill_9_under_load_loses_no_answered_event(tracker: Tracker) -> None:
    answered: list[int] = []
    for round_number in range(3):
        threads = [
            threading.Thread(target=load, args=(tracker, round_number * 10 + number, answered)) for number in range(4)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert tracker.process
        os.kill(tracker.process.pid, signal.SIGKILL)
        tracker.process.wait()
        for thread in threads:
            thread.join()
        tracker.start()
    spooled = {event.seq for event in tracker.events()}
    assert len(answered) > 100
    assert not set(answered) - spooled


def test_a_stop_is_clean(tracker: Tracker) -> None:
    tracker.ask("GET", f"/o/{token()}.gif")
    assert tracker.stop() == 0
    assert len(tracker.events()) == 1


def test_a_stop_under_load_answers_what_it_accepted(tracker: Tracker) -> None:
    answered: list[int] = []
    threads = [threading.Thread(target=load, args=(tracker, number, answered)) for number in range(8)]
    with socket.create_connection(("127.0.0.1", tracker.port), timeout=20) as begun:
        begun.sendall(f"GET /o/{token(seq=5)}.gif HTTP/1.1\r\nHost: t.example.com\r\n".encode())
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert tracker.process
        tracker.process.terminate()
        for thread in threads:
            thread.join()
        begun.sendall(b"\r\n")
        assert b"connection: close" in begun.recv(10_000)
    assert tracker.process.wait(timeout=20) == 0
    spooled = [event.seq for event in tracker.events()]
    assert {*answered, 5} == set(spooled)  # nothing was recorded whose answer was not sent, either
    assert len(answered) + 1 == len(spooled)


def test_a_thousand_connections_that_send_a_byte_a_second(tracker: Tracker) -> None:
    slow = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    try:
        for _ in range(1000):
            slow.append(socket.create_connection(("127.0.0.1", tracker.port), timeout=20))
            slow[-1].sendall(b"GET /o/")
        for seq in range(100):
            for connection in slow[seq::100]:
                connection.sendall(b"x")
            assert tracker.ask("GET", f"/o/{token(seq=seq)}.gif").status == 200
        assert memory_kb(tracker) < 100 * 1024
    finally:
        for connection in slow:
            connection.close()


@contextmanager
def full_disk(tracker: Tracker) -> Iterator[None]:
    """No file of the tracker may grow beyond a byte: writes fail in the middle, as on a full disk."""
    assert tracker.process
    before = resource.prlimit(tracker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(tracker.process.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(tracker.process.pid, resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_got_over(tracker: Tracker) -> None:
    assert tracker.ask("GET", f"/o/{token(seq=1)}.gif").status == 200
    with full_disk(tracker):
        for seq in range(10, 15):
            refused = [
                tracker.ask("GET", f"/o/{token(seq=seq)}.gif"),
                tracker.ask("GET", click_path(token(seq=seq))),
                tracker.ask("POST", f"/u/{token(seq=seq)}", b"List-Unsubscribe=One-Click"),
                tracker.ask("GET", "/healthz/spool"),
            ]
            assert [answer.status for answer in refused] == [503] * 4
            assert all("retry-after" in answer.headers for answer in refused[:3])
            assert b"https://shop.example.com/summer" in refused[1].body  # the person can go on by hand
            assert b"nothing has changed" in refused[2].body
            assert tracker.ask("GET", f"/u/{token()}").status == 200
    assert tracker.ask("GET", "/healthz/spool").status == 200
    assert tracker.ask("POST", f"/u/{token(seq=2)}", b"from=page").status == 200
    kinds = [(event.kind, event.seq) for event in tracker.events() if event.kind != "checked"]
    assert kinds == [("opened", 1), ("unsubscribed", 2)]


def test_a_second_tracker_is_told_why_it_cannot_start(tracker: Tracker) -> None:
    for port, word in ((tracker.port, "cannot listen"), (0, "another process writes the spool")):
        environment = {**os.environ, "STANDFAST_VAR": str(tracker.var), "STANDFAST_HOST": "127.0.0.1"}
        environment["STANDFAST_TRACKER_PORT"] = str(port or free_port())
        second = subprocess.run(
            [sys.executable, "-m", "standfast.services.tracker.main"],
            env=environment,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 1
        assert word in second.stderr.decode()


def test_memory_stays_small(tracker: Tracker) -> None:
    for seq in range(200):
        tracker.ask("GET", click_path(token(seq=seq)))
    assert memory_kb(tracker) < 100 * 1024


def memory_kb(tracker: Tracker) -> int:
    """The largest resident memory so far."""
    assert tracker.process
    status = Path(f"/proc/{tracker.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
