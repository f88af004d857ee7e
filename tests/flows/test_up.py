"""`standfast up`: a first link once, a second start refused with a sentence, a port in use named, Ctrl-C clean, data kept."""

from __future__ import annotations

import dataclasses
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from benchmarks import kept_database
from benchmarks.installation import free_ports

from standfast.platform import config
from standfast.platform.config import PORT_VARIABLES


@pytest.fixture
def environment(tmp_path_factory):
    directory = tmp_path_factory.mktemp("up", numbered=True)
    cleared = {name: value for name, value in os.environ.items() if not name.startswith(("STANDFAST_", "DATABASE_"))}
    return {
        **cleared,
        "STANDFAST_VAR": str(directory),
        **dict(zip(PORT_VARIABLES, map(str, free_ports(len(PORT_VARIABLES))), strict=True)),
    }


def start(environment) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "standfast.cli", "up"], env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)  # fmt: skip


def run(environment) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    line = [sys.executable, "-m", "standfast.cli", "up"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def read_until(process, words: str) -> str:
    read = ""
    assert process.stdout is not None
    while words not in read:
        line = process.stdout.readline()
        assert line, f"it ended without saying {words!r}: {read}"
        read += line
    return read


def healthy(url: str) -> bool:
    """Whether it says so within the time in which workers come up."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(url, timeout=20).status == 200
        except urllib.error.URLError:
            time.sleep(0.3)
    return False


@pytest.mark.timeout(180)
def test_start_stop_and_start_again(environment):
    first = start(environment)
    said = read_until(first, "Ctrl-C stops everything")
    assert "/welcome/" in said
    base = f"http://127.0.0.1:{environment['STANDFAST_PORT']}"
    assert urllib.request.urlopen(base, timeout=20).status == 200
    assert urllib.request.urlopen(f"{base}/healthz/application-login", timeout=20).status == 200
    assert healthy(f"{base}/healthz/campaign-sends")
    assert healthy(f"http://127.0.0.1:{environment['STANDFAST_REST_PORT']}/healthz/rest-api")
    with smtplib.SMTP("127.0.0.1", int(environment["STANDFAST_SUBMISSION_PORT"]), timeout=20) as submission:
        assert submission.ehlo()[0] == 250

    # what holds people's data is for this user alone
    for name in ("exchanger", "inbox", "journal", "log", "run", "secret.key", "spool"):
        found = Path(environment["STANDFAST_VAR"]) / name
        assert not found.exists() or not found.stat().st_mode & 0o077, found

    second = run(environment)
    assert second.returncode == 1
    assert "already runs here" in second.stderr and "Traceback" not in second.stderr
    assert urllib.request.urlopen(base, timeout=20).status == 200, "the first one was disturbed"

    family = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0
    assert not psutil.wait_procs(family, timeout=10)[1], "something was left running"

    again = start(environment)
    said = read_until(again, "Ctrl-C stops everything")
    assert "/welcome/" in said, "still no user, so a new link"
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0


@pytest.mark.timeout(120)
def test_a_port_in_use_is_named(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["STANDFAST_TRACKER_PORT"])))
        taken.listen()
        done = run(environment)
    assert done.returncode == 1
    assert "STANDFAST_TRACKER_PORT" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.timeout(180)
def test_a_killed_supervisor_leaves_nothing_in_the_way(environment):
    var = Path(environment["STANDFAST_VAR"])
    kept_database.lay(dataclasses.replace(config.load(), var=var, database_url=None))
    first = start(environment)
    read_until(first, "Ctrl-C stops everything")
    family = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.wait()
    psutil.wait_procs(family, timeout=20)
    time.sleep(0.2)
    again = start(environment)
    read_until(again, "Ctrl-C stops everything")
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0
